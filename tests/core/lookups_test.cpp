// SPDX-License-Identifier: Apache-2.0
#include "core/lookups.hpp"

#include <gtest/gtest.h>

namespace mrascheck {
namespace {

TEST(Lookups, ServersAreFoundAsTheSiteFindsThem) {
  Site site;
  for (const char* name : {"fe1.contoso.example", "FE1.contoso.example", "edge1.contoso.example"})
    site.servers.emplace_back().name = name;
  const ServersByName servers{site};
  for (const char* name : {"fe1.contoso.example", "Fe1.Contoso.Example", "edge1.contoso.example", "", "edge2"})
    EXPECT_EQ(servers.of(name), site.server(name)) << name;
}

TEST(Lookups, HandshakesComeInTheOrderOfTheEvidence) {
  Evidence evidence;
  for (const auto& [to, port, address] :
       {std::tuple{"edge1", 5062, "192.0.2.1"}, std::tuple{"edge2", 5062, "192.0.2.2"},
        std::tuple{"edge1", 5062, "192.0.2.3"}, std::tuple{"edge1", 443, "192.0.2.1"}}) {
    Handshake& handshake = evidence.handshakes.emplace_back();
    handshake.from = "fe1";
    handshake.to = to;
    handshake.port = static_cast<std::uint16_t>(port);
    handshake.address = address;
  }
  const HandshakesByEnds handshakes{evidence};
  EXPECT_EQ(handshakes.of("fe1", "edge1", 5062),
            (std::vector<const Handshake*>{&evidence.handshakes[0], &evidence.handshakes[2]}));
  EXPECT_EQ(handshakes.of("fe1", "edge1", 443), std::vector<const Handshake*>{&evidence.handshakes[3]});
  EXPECT_TRUE(handshakes.of("fe2", "edge1", 443).empty());
}

}  // namespace
}  // namespace mrascheck
