// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs12.hpp"

#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include <algorithm>
#include <optional>

#include "core/text.hpp"
#include "crypto/openssl.hpp"

namespace mrascheck::crypto {
namespace {

constexpr std::size_t max_pkcs12 = std::size_t{16} << 20U;
constexpr int max_safes = 64;
constexpr unsigned max_depth = 4;
constexpr std::size_t max_certificates = 10'000;
/// A second or two of work; Windows and OpenSSL write 2,000 or 2,048, careful people some hundred thousand.
constexpr long max_rounds = 2'000'000;
constexpr std::size_t max_keys = 16;

struct Freed_bags {
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const noexcept {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  }
};
struct Freed_safes {
  void operator()(STACK_OF(PKCS7) * safes) const noexcept { sk_PKCS7_pop_free(safes, PKCS7_free); }
};
struct Freed_text {
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
using ContextPtr = std::unique_ptr<OSSL_LIB_CTX, Freed<OSSL_LIB_CTX_free>>;
using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, Freed<OSSL_PROVIDER_unload>>;
using InfoPtr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, Freed<PKCS12_free>>;
using BagsPtr = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), Freed_bags>;
using SafesPtr = std::unique_ptr<STACK_OF(PKCS7), Freed_safes>;

/// The name of a PBE of PKCS#12 (RFC 7292, C) whose cipher is in the legacy provider only; empty for any other.
std::string_view old_name(int nid) {
  switch (nid) {
    case NID_pbe_WithSHA1And40BitRC2_CBC:
      return "RC2-40";
    case NID_pbe_WithSHA1And128BitRC2_CBC:
      return "RC2-128";
    case NID_pbe_WithSHA1And40BitRC4:
      return "RC4-40";
    case NID_pbe_WithSHA1And128BitRC4:
      return "RC4-128";
    default:
      return {};
  }
}

template <class T>
T* unpacked(const ASN1_TYPE* parameter, const ASN1_ITEM* item) {
  return static_cast<T*>(ASN1_TYPE_unpack_sequence(item, parameter));
}

/// How many rounds a key derivation takes; 0 where that is not said in a way that is known here.
long rounds_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(&object, &type, &value, algorithm);
  const ASN1_TYPE* const parameter = algorithm->parameter;
  if (OBJ_obj2nid(object) != NID_pbes2) {
    const std::unique_ptr<PBEPARAM, Freed<PBEPARAM_free>> pbe{unpacked<PBEPARAM>(parameter, ASN1_ITEM_rptr(PBEPARAM))};
    return pbe ? ASN1_INTEGER_get(pbe->iter) : 0;
  }
  const std::unique_ptr<PBE2PARAM, Freed<PBE2PARAM_free>> pbe2{
      unpacked<PBE2PARAM>(parameter, ASN1_ITEM_rptr(PBE2PARAM))};
  if (!pbe2 || OBJ_obj2nid(pbe2->keyfunc->algorithm) != NID_id_pbkdf2) return 0;
  const std::unique_ptr<PBKDF2PARAM, Freed<PBKDF2PARAM_free>> kdf{
      unpacked<PBKDF2PARAM>(pbe2->keyfunc->parameter, ASN1_ITEM_rptr(PBKDF2PARAM))};
  return kdf ? ASN1_INTEGER_get(kdf->iter) : 0;
}

/// The contexts that a file is decoded in: nothing of the program's own is touched, and what is loaded for one old file
/// serves no other. Must outlive what was decoded in it.
struct OwnContext {
  ContextPtr context{OSSL_LIB_CTX_new()};
  ProviderPtr usual;
  ProviderPtr legacy;

  OwnContext() {
    if (context) usual.reset(OSSL_PROVIDER_load(context.get(), "default"));
  }
  bool load_legacy() {
    if (!legacy) legacy.reset(OSSL_PROVIDER_load(context.get(), "legacy"));
    return legacy != nullptr;
  }
};

class Pkcs12Reader {
 public:
  Pkcs12Reader(Bytes content, const Secret* passphrase, Pkcs12Keys keys)
      : content_(content), configured_(passphrase), keys_(keys) {}

  Result<Pkcs12> read() {
    if (content_.size() > max_pkcs12) return no(ErrorKind::malformed, "larger than 16 MiB");
    if (!own_.usual) return no(ErrorKind::local, "OpenSSL's default provider cannot be loaded: " + drain_errors());
    PKCS12* decoded = PKCS12_init_ex(NID_pkcs7_data, own_.context.get(), nullptr);
    const unsigned char* cursor = content_.data();
    // On failure the object is freed and the pointer cleared.
    if (decoded == nullptr || d2i_PKCS12(&decoded, &cursor, static_cast<long>(content_.size())) == nullptr)
      return no(ErrorKind::malformed, "not a PKCS#12 file that OpenSSL can decode: " + drain_errors());
    file_.reset(decoded);
    if (std::optional<Error> error = find_passphrase()) return tl::unexpected(std::move(*error));
    const SafesPtr safes{PKCS12_unpack_authsafes(file_.get())};
    if (!safes) return no(ErrorKind::malformed, "not a PKCS#12 file that OpenSSL can decode: " + drain_errors());
    if (sk_PKCS7_num(safes.get()) > max_safes) return no(ErrorKind::malformed, "of too many parts");
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
      if (std::optional<Error> error = take_safe(sk_PKCS7_value(safes.get(), i), i + 1))
        return tl::unexpected(std::move(*error));
    }
    ERR_clear_error();
    return std::move(result_);
  }

 private:
  static tl::unexpected<Error> no(ErrorKind kind, std::string text) {
    ERR_clear_error();
    return fail(kind, std::move(text));
  }
  static std::optional<Error> wrong(ErrorKind kind, std::string text) {
    ERR_clear_error();
    return Error{kind, std::move(text)};
  }
  std::optional<Error> refused() const {
    return configured_ == nullptr ? wrong(ErrorKind::config, "encrypted, and no passphrase is configured")
                                  : wrong(ErrorKind::config, "wrong passphrase");
  }
  static std::optional<Error> too_slow(long rounds) {
    return wrong(ErrorKind::malformed,
                 fmt::format("its key derivation takes {} rounds, of which {} are done at most", rounds, max_rounds));
  }

  /// The passphrase that the file's MAC was made with; with none configured, none at all and the empty one are tried,
  /// which are two things to PKCS#12 (PKCS12_parse(3)).
  std::optional<Error> find_passphrase() {
    if (configured_ != nullptr) {
      passphrase_ = configured_->reveal().data();
      length_ = static_cast<int>(configured_->reveal().size());
    }
    if (PKCS12_mac_present(file_.get()) != 1) return std::nullopt;
    const ASN1_INTEGER* iterations = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, file_.get());
    const long rounds = iterations == nullptr ? 1 : ASN1_INTEGER_get(iterations);
    if (rounds < 0 || rounds > max_rounds) return too_slow(rounds);
    if (PKCS12_verify_mac(file_.get(), passphrase_, length_) == 1) return std::nullopt;
    if (configured_ != nullptr) return refused();
    passphrase_ = "";
    return PKCS12_verify_mac(file_.get(), passphrase_, 0) == 1 ? std::nullopt : refused();
  }

  std::optional<Error> take_safe(PKCS7* safe, int number) {
    const int type = OBJ_obj2nid(safe->type);
    if (type == NID_pkcs7_data) {
      const BagsPtr bags{PKCS12_unpack_p7data(safe)};
      bags ? take_bags(bags.get(), 0) : trouble(number, drain_errors());
      return std::nullopt;
    }
    if (type != NID_pkcs7_encrypted || safe->d.encrypted == nullptr || safe->d.encrypted->enc_data == nullptr) {
      trouble(number, "encrypted for a recipient's key, or of an unknown kind");
      return std::nullopt;
    }
    const X509_ALGOR* const algorithm = safe->d.encrypted->enc_data->algorithm;
    const std::string_view old = old_name(OBJ_obj2nid(algorithm->algorithm));
    if (!old.empty()) {
      if (!own_.load_legacy()) {
        return wrong(ErrorKind::local,
                     fmt::format("encrypted with {}, for which OpenSSL's legacy provider is needed, and that cannot be "
                                 "loaded here: export it again with AES",
                                 old));
      }
      result_.old_encryption = old;
    }
    const long rounds = rounds_of(algorithm);
    if (rounds < 0 || rounds > max_rounds) return too_slow(rounds);
    const BagsPtr bags{PKCS12_unpack_p7encdata(safe, passphrase_, length_)};
    if (bags) {
      take_bags(bags.get(), 0);
      return std::nullopt;
    }
    // Without a MAC nothing has yet told whether the passphrase is the right one.
    if (PKCS12_mac_present(file_.get()) != 1) return refused();
    trouble(number, "cannot be decrypted: " + drain_errors());
    return std::nullopt;
  }

  void trouble(int number, std::string_view why) {
    ERR_clear_error();
    result_.trouble.push_back(fmt::format("part {} of the PKCS#12: {}", number, why));
  }

  void take_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, unsigned depth) {
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      const PKCS12_SAFEBAG* const bag = sk_PKCS12_SAFEBAG_value(bags, i);
      const int type = PKCS12_SAFEBAG_get_nid(bag);
      if (type == NID_safeContentsBag && depth < max_depth) {
        take_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      } else if (type == NID_certBag && PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate) {
        take_certificate(bag);
      } else if ((type == NID_keyBag || type == NID_pkcs8ShroudedKeyBag) && keys_ == Pkcs12Keys::read) {
        take_key(bag, type == NID_pkcs8ShroudedKeyBag);
      }
    }
  }

  void take_key(const PKCS12_SAFEBAG* bag, bool encrypted) {
    if (result_.keys.size() == max_keys) return;
    const auto no_key = [&](std::string_view why) {
      result_.trouble.push_back(fmt::format("a private key of the PKCS#12: {}", why));
      ERR_clear_error();
    };
    InfoPtr decrypted;
    if (encrypted) {
      const X509_ALGOR* algorithm = nullptr;
      X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr);
      const long rounds = rounds_of(algorithm);
      if (rounds < 0 || rounds > max_rounds) return no_key(too_slow(rounds)->text);
      if (!old_name(OBJ_obj2nid(algorithm->algorithm)).empty()) own_.load_legacy();
      decrypted.reset(PKCS12_decrypt_skey_ex(bag, passphrase_, length_, own_.context.get(), nullptr));
      if (!decrypted) return no_key("cannot be decrypted: " + drain_errors());
    }
    unsigned char* der = nullptr;
    const int size = i2d_PKCS8_PRIV_KEY_INFO(encrypted ? decrypted.get() : PKCS12_SAFEBAG_get0_p8inf(bag), &der);
    if (size <= 0) return no_key(drain_errors());
    Result<PrivateKey> key = PrivateKey::read({der, static_cast<std::size_t>(size)}, nullptr, "the PKCS#12");
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
    if (!key) return no_key(key.error().text);
    result_.keys.push_back({std::move(*key), provider_of(bag)});
  }

  static std::string provider_of(const PKCS12_SAFEBAG* bag) {
    const ASN1_TYPE* const value = PKCS12_SAFEBAG_get0_attr(bag, NID_ms_csp_name);
    if (value == nullptr || value->type != V_ASN1_BMPSTRING) return {};
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, value->value.bmpstring);
    if (size < 0) return {};
    std::string name = printable({reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)}, 256);
    OPENSSL_free(text);
    return name;
  }

  void take_certificate(const PKCS12_SAFEBAG* bag) {
    if (result_.certificates.size() == max_certificates) return;
    const X509Ptr certificate{PKCS12_SAFEBAG_get1_cert(bag)};
    const int size = certificate ? i2d_X509(certificate.get(), nullptr) : -1;
    if (size <= 0) {
      ++number_;
      const std::string why = drain_errors();
      result_.trouble.push_back(fmt::format("certificate {} of the PKCS#12: {}", number_, why));
      return;
    }
    ++number_;
    Pkcs12::Certificate& added = result_.certificates.emplace_back();
    added.der.resize(static_cast<std::size_t>(size));
    unsigned char* into = added.der.data();
    i2d_X509(certificate.get(), &into);
    // It only reads the bag, whatever its type says.
    const std::unique_ptr<char, Freed_text> name{PKCS12_get_friendlyname(const_cast<PKCS12_SAFEBAG*>(bag))};
    if (name) added.friendly_name = printable(name.get(), 256);
  }

  const Bytes content_;
  const Secret* const configured_;
  const Pkcs12Keys keys_;
  OwnContext own_;
  Pkcs12Ptr file_;
  const char* passphrase_ = nullptr;
  int length_ = 0;
  Pkcs12 result_;
  std::size_t number_ = 0;
};

}  // namespace

Result<Pkcs12> read_pkcs12(Bytes content, const Secret* passphrase, Pkcs12Keys keys) {
  start_openssl();
  return Pkcs12Reader{content, passphrase, keys}.read();
}

}  // namespace mrascheck::crypto
