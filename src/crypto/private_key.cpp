// SPDX-License-Identifier: Apache-2.0
#include "crypto/private_key.hpp"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <cstring>

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"

namespace mrascheck::crypto {
namespace {

using SigPtr = std::unique_ptr<X509_SIG, Freed<X509_SIG_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;

/// A key file is a few kilobytes, with a chain beside it some tens.
constexpr std::size_t max_key_file = 4U << 20U;

struct Freed_c {
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
using OpensslText = std::unique_ptr<char, Freed_c>;

/// Bytes that may be a key: wiped when they end.
class Wiped {
 public:
  Wiped() = default;
  explicit Wiped(ByteString bytes) : bytes_(std::move(bytes)) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Wiped(Wiped&& other) noexcept : bytes_(std::move(other.bytes_)) {}
  Wiped& operator=(Wiped&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Wiped() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  unsigned char* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  void shrink(std::size_t size) { bytes_.resize(std::min(size, bytes_.size())); }
  Bytes view() const { return bytes_; }

 private:
  ByteString bytes_;
};

struct Block {
  OpensslText name;
  OpensslText header;
  Wiped data;
};

/// What a callback hands to PEM_do_header; it never asks on a terminal.
int give_passphrase(char* buffer, int size, int, void* secret) {
  const std::string_view passphrase = static_cast<const Secret*>(secret)->reveal();
  if (passphrase.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, passphrase.data(), passphrase.size());
  return static_cast<int>(passphrase.size());
}

/// A whole SEQUENCE and nothing else: a wrong passphrase can leave good padding by chance, but hardly this too.
bool is_sequence(Bytes der) {
  const unsigned char* cursor = der.data();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  const int flags = ASN1_get_object(&cursor, &length, &tag, &tag_class, static_cast<long>(der.size()));
  return (flags & 0x80) == 0 && tag == V_ASN1_SEQUENCE && cursor + length == der.data() + der.size();
}

/// The first block that says to be a private key. Nothing when there is none; the queue then says what was wrong with a
/// block that could not be read.
std::optional<Block> first_key_block(Bytes content) {
  const BioPtr bio{BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
  int left = bio ? BIO_pending(bio.get()) : 0;
  for (int before = left + 1; left > 0 && left < before; before = left, left = BIO_pending(bio.get())) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long length = 0;
    ERR_set_mark();
    if (PEM_read_bio(bio.get(), &name, &header, &data, &length) != 1) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      at_end ? ERR_pop_to_mark() : ERR_clear_last_mark();
      if (at_end) break;
      continue;
    }
    ERR_clear_last_mark();
    Block block{OpensslText{name}, OpensslText{header}, Wiped{ByteString(data, data + length)}};
    OPENSSL_clear_free(data, static_cast<std::size_t>(length));
    if (std::string_view(name).ends_with("PRIVATE KEY")) return block;
  }
  return std::nullopt;
}

class KeyReader {
 public:
  KeyReader(const Secret* passphrase, std::string_view origin) : passphrase_(passphrase), origin_(printable(origin)) {}

  Result<PkeyPtr> read(Bytes content) const {
    if (content.size() > max_key_file) return no("no private key in it: it is larger than {} bytes", max_key_file);
    constexpr std::string_view utf8_bom = "\xEF\xBB\xBF";
    if (as_text(content).starts_with(utf8_bom)) content = content.subspan(utf8_bom.size());
    if (as_text(content).starts_with("\xFF\xFE")) return pem(narrowed(content).view());
    if (!content.empty() && content[0] == 0x30 && is_sequence(content)) return der(content);
    return pem(content);
  }

 private:
  template <class... Args>
  tl::unexpected<Error> no(fmt::format_string<Args...> format, Args&&... args) const {
    ERR_clear_error();
    return fail(ErrorKind::config, origin_ + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  tl::unexpected<Error> undecodable() const {
    return no("a private key that OpenSSL cannot decode: {}", drain_errors());
  }
  tl::unexpected<Error> locked() const { return no("encrypted, and no passphrase is configured"); }

  /// UTF-16 LE, as a PowerShell redirection leaves it, to ASCII.
  static Wiped narrowed(Bytes utf16) {
    ByteString text;
    text.reserve(utf16.size() / 2);
    for (std::size_t i = 2; i + 1 < utf16.size(); i += 2) text.push_back(utf16[i + 1] == 0 ? utf16[i] : '?');
    return Wiped{std::move(text)};
  }

  Result<PkeyPtr> pem(Bytes content) const {
    std::optional<Block> block = first_key_block(content);
    if (!block) {
      if (as_text(content).find("PRIVATE KEY-----") == std::string_view::npos) return no("no private key in it");
      return undecodable();
    }
    const std::string_view name{block->name.get()};
    if (name == "ENCRYPTED PRIVATE KEY") return encrypted_pkcs8(block->data.view());
    EVP_CIPHER_INFO cipher{};
    if (PEM_get_EVP_CIPHER_INFO(block->header.get(), &cipher) != 1) return undecodable();
    if (!cipher.cipher) return plain(block->data.view());
    if (!passphrase_) return locked();
    auto length = static_cast<long>(block->data.size());
    if (PEM_do_header(&cipher, block->data.data(), &length, give_passphrase, const_cast<Secret*>(passphrase_)) != 1)
      return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_DECRYPT ? no("wrong passphrase") : undecodable();
    block->data.shrink(static_cast<std::size_t>(length));
    return decrypted(block->data.view());
  }

  Result<PkeyPtr> der(Bytes content) const {
    const unsigned char* cursor = content.data();
    if (SigPtr{d2i_X509_SIG(nullptr, &cursor, static_cast<long>(content.size()))}) return encrypted_pkcs8(content);
    Result<PkeyPtr> key = plain(content);
    if (!key) return no("no private key in it");
    return key;
  }

  Result<PkeyPtr> plain(Bytes bytes) const {
    ERR_clear_error();
    const unsigned char* cursor = bytes.data();
    PkeyPtr key{d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(bytes.size()))};
    if (!key) return undecodable();
    return key;
  }

  Result<PkeyPtr> decrypted(Bytes bytes) const {
    if (!is_sequence(bytes)) return no("wrong passphrase");
    return plain(bytes);
  }

  Result<PkeyPtr> encrypted_pkcs8(Bytes bytes) const {
    const unsigned char* cursor = bytes.data();
    const SigPtr envelope{d2i_X509_SIG(nullptr, &cursor, static_cast<long>(bytes.size()))};
    if (!envelope) return undecodable();
    if (!passphrase_) return locked();
    const std::string_view passphrase = passphrase_->reveal();
    ERR_clear_error();
    const Pkcs8Ptr info{PKCS8_decrypt(envelope.get(), passphrase.data(), static_cast<int>(passphrase.size()))};
    if (!info) return decryption_failed();
    PkeyPtr key{EVP_PKCS82PKEY(info.get())};
    if (!key) return undecodable();
    return key;
  }

  /// The cipher's last block, or what came out of it, was wrong: the passphrase. Anything else: the algorithm.
  tl::unexpected<Error> decryption_failed() const {
    const unsigned long code = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) == ERR_LIB_PKCS12 &&
        (reason == PKCS12_R_PKCS12_CIPHERFINAL_ERROR || reason == PKCS12_R_DECODE_ERROR))
      return no("wrong passphrase");
    return undecodable();
  }

  const Secret* passphrase_;
  std::string origin_;
};

std::optional<Sha256> spki_digest(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return std::nullopt;
  const Sha256 digest = hasher().sha256({der, static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return digest;
}

}  // namespace

Result<PrivateKey> PrivateKey::read(Bytes content, const Secret* passphrase, std::string_view origin) {
  start_openssl();
  ERR_clear_error();
  Result<PkeyPtr> key = KeyReader{passphrase, origin}.read(content);
  ERR_clear_error();
  if (!key) return tl::unexpected(key.error());
  const std::optional<Sha256> digest = spki_digest(key->get());
  if (!digest)
    return fail(ErrorKind::config,
                fmt::format("{}: a private key that OpenSSL cannot decode: {}", printable(origin), drain_errors()));
  return PrivateKey{std::make_shared<Handle>(Handle{std::move(*key), *digest})};
}

bool PrivateKey::belongs_to(const Certificate& certificate) const {
  if (certificate.spki_sha256 == handle_->spki_sha256) return true;
  // One key can be written in several ways (RFC 5480, 2.2: a compressed point; RFC 4055, 1.2: parameters left out).
  const X509Ptr decoded = decode_certificate(certificate.der);
  const EVP_PKEY* key = decoded ? X509_get0_pubkey(decoded.get()) : nullptr;
  const bool equal = key && EVP_PKEY_eq(key, handle_->key.get()) == 1;
  ERR_clear_error();
  return equal;
}

}  // namespace mrascheck::crypto
