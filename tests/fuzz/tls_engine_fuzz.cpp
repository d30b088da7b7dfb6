// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/tls_engine.hpp"
#include "crypto/tls_messages.hpp"

using namespace mrascheck;
using namespace mrascheck::crypto;

namespace {

const TlsContext& context() {
  static const TlsContext anonymous = [] {
    TlsContext::Options options;
    options.min_version = "TLSv1";
    return TlsContext::client(options).value();
  }();
  return anonymous;
}

/// Bytes from a server, in pieces of `piece` octets.
void drive(Bytes input, std::size_t piece) {
  TlsEngine engine = TlsEngine::client(context(), "edge1.contoso.example").value();
  auto state = engine.handshake();
  for (std::size_t at = 0; at < input.size() && state == TlsEngine::State::want_bytes; at += piece) {
    engine.take_output();
    engine.feed(input.subspan(at, std::min(piece, input.size() - at)));
    state = engine.handshake();
  }
  std::string plaintext;
  for (int i = 0; i < 64 && engine.read(plaintext) == TlsEngine::State::ready; ++i) {
  }
  engine.write("SERVICE");
  engine.shutdown();
  engine.take_output();
  engine.not_tls();
  const TlsFacts facts = engine.facts();
  if (facts.peer_chain.size() > TlsFacts::max_peer_chain || facts.alerts_received.size() > TlsFacts::max_alerts ||
      facts.accepted_issuers.size() > Handshake::max_accepted_issuers || !plaintext.empty())
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 64 * 1024) return 0;
  const Bytes input{data + 2, size - 2};
  const auto version = static_cast<std::uint16_t>(0x0300 + data[0] % 6);
  read_server_hello(input);
  read_certificates(input, version, 16);
  read_certificate_request(input, version, 16);
  drive(input, data[1] % 64U == 0 ? input.size() + 1 : data[1]);
  return 0;
}
