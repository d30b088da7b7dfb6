// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace mrascheck::crypto {

/// What a server says in the handshake messages themselves (RFC 5246, 7.4; RFC 8446, 4), so that it is known byte for
/// byte as it stood on the wire, even where the TLS library refuses it and keeps nothing. Each function takes one whole
/// message with its four header octets, and takes from a broken one what stands before the break.

struct ServerHello {
  std::uint16_t version = 0;  ///< from supported_versions where that is sent, else legacy_version
  std::uint16_t cipher = 0;
  bool secure_renegotiation = false;  ///< RFC 5746, 3.4
};
std::optional<ServerHello> read_server_hello(Bytes message);

/// The DER of each element, the sender's own first; at most `limit`.
std::vector<ByteString> read_certificates(Bytes message, std::uint16_t version, std::size_t limit);

struct AcceptedIssuers {
  std::vector<ByteString> names;  ///< RDNSequences, the first `limit`
  std::size_t count = 0;          ///< all
  std::size_t bytes = 0;          ///< all, with the two length octets of each
};
AcceptedIssuers read_certificate_request(Bytes message, std::uint16_t version, std::size_t limit);

/// "TLSv1.2"; "0x0305" for one without a name.
std::string version_name(std::uint16_t version);

}  // namespace mrascheck::crypto
