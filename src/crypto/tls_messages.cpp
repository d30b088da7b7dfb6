// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_messages.hpp"

#include <fmt/core.h>

namespace mrascheck::crypto {
namespace {

constexpr std::uint16_t tls_1_2 = 0x0303;
constexpr std::uint16_t tls_1_3 = 0x0304;
constexpr std::size_t header_size = 4;  // HandshakeType, uint24 length

constexpr std::uint16_t supported_versions = 43;       // RFC 8446, 4.2.1
constexpr std::uint16_t certificate_authorities = 47;  // RFC 8446, 4.2.4
constexpr std::uint16_t renegotiation_info = 0xFF01;   // RFC 5746, 3.2

/// A cursor over one message. Past the end it yields zeros and empty vectors, and is no longer good().
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}

  bool good() const { return good_; }
  bool more() const { return good_ && !rest_.empty(); }

  std::size_t number(std::size_t octets) {
    std::size_t value = 0;
    for (const std::uint8_t octet : take(octets)) value = value << 8U | octet;
    return value;
  }
  std::uint16_t uint16() { return static_cast<std::uint16_t>(number(2)); }
  Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  Bytes vector(std::size_t length_octets) { return take(number(length_octets)); }
  /// As vector(), but where the length says more than there is, what there is.
  Bytes vector_or_rest(std::size_t length_octets) {
    const std::size_t size = number(length_octets);
    return take(std::min(size, rest_.size()));
  }

 private:
  Bytes rest_;
  bool good_ = true;
};

Cursor body(Bytes message) {
  return Cursor{message.size() < header_size ? Bytes{} : message.subspan(header_size)};
}

ByteString copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The named extension's content; empty when it is not there.
Bytes extension(Bytes extensions, std::uint16_t wanted) {
  for (Cursor cursor{extensions}; cursor.more();) {
    const std::uint16_t type = cursor.uint16();
    const Bytes content = cursor.vector(2);
    if (cursor.good() && type == wanted) return content;
  }
  return {};
}

}  // namespace

std::optional<ServerHello> read_server_hello(Bytes message) {
  Cursor cursor = body(message);
  ServerHello hello;
  hello.version = cursor.uint16();
  cursor.take(32);   // random
  cursor.vector(1);  // session_id
  hello.cipher = cursor.uint16();
  cursor.take(1);  // compression_method
  if (!cursor.good()) return std::nullopt;
  if (!cursor.more()) return hello;
  const Bytes extensions = cursor.vector_or_rest(2);
  // Not without content: one octet at least says how much follows.
  hello.secure_renegotiation = !extension(extensions, renegotiation_info).empty();
  Cursor selected{extension(extensions, supported_versions)};
  const std::uint16_t version = selected.uint16();
  if (selected.good()) hello.version = version;
  return hello;
}

std::vector<ByteString> read_certificates(Bytes message, std::uint16_t version, std::size_t limit) {
  Cursor cursor = body(message);
  if (version >= tls_1_3) cursor.vector(1);  // certificate_request_context
  std::vector<ByteString> certificates;
  for (Cursor list{cursor.vector_or_rest(3)}; list.more() && certificates.size() < limit;) {
    const Bytes der = list.vector(3);
    if (!list.good()) break;
    certificates.push_back(copy(der));
    if (version >= tls_1_3) list.vector(2);  // the extensions of this element
  }
  return certificates;
}

AcceptedIssuers read_certificate_request(Bytes message, std::uint16_t version, std::size_t limit) {
  Cursor cursor = body(message);
  cursor.vector(1);  // certificate_request_context in TLS 1.3, certificate_types before
  Bytes authorities;
  if (version >= tls_1_3) {
    Cursor content{extension(cursor.vector_or_rest(2), certificate_authorities)};
    authorities = content.vector_or_rest(2);
  } else {
    if (version == tls_1_2) cursor.vector(2);  // supported_signature_algorithms: not before TLS 1.2
    authorities = cursor.vector_or_rest(2);
  }
  AcceptedIssuers issuers;
  for (Cursor list{authorities}; list.more();) {
    const Bytes name = list.vector(2);
    if (!list.good()) break;
    issuers.count += 1;
    issuers.bytes += name.size() + 2;
    if (issuers.names.size() < limit) issuers.names.push_back(copy(name));
  }
  return issuers;
}

std::string version_name(std::uint16_t version) {
  switch (version) {
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1";
    case 0x0302:
      return "TLSv1.1";
    case tls_1_2:
      return "TLSv1.2";
    case tls_1_3:
      return "TLSv1.3";
    default:
      return fmt::format("{:#06x}", version);
  }
}

}  // namespace mrascheck::crypto
