// SPDX-License-Identifier: Apache-2.0
#include "sip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "runner.hpp"
#include "sip/message.hpp"

namespace mrascheck::bench {
namespace {

constexpr double least_speed = 300;  // MB/s
constexpr std::size_t bounded = 2;   // of the shapes: those that Edges send
constexpr int sip_turns = 21;
constexpr std::size_t stream_bytes = std::size_t{32} * 1024 * 1024;
constexpr std::size_t piece_bytes = 16'384;  // of a TLS record

struct Shape {
  const char* name;
  std::string message;
  std::size_t fields;
};

/// The answer of an Edge of Lync Server 2010, ten fields as on the wire.
std::string answer_with(const std::string& body) {
  return "SIP/2.0 200 OK\r\n"
         "From: \"Probe User\"<sip:probe@contoso.example>;tag=6392822386;epid=e114d373a8\r\n"
         "To: "
         "<sip:edge.contoso.example@contoso.example;gruu;opaque=srvr:MRAS:AAECAwQFBgcICQoLDA0ODwAA>;tag=6b04cac19\r\n"
         "CSeq: 1 SERVICE\r\n"
         "Call-ID: 3ca1e573619f4be4975e6cd6ec1f44bd\r\n"
         "VIA: SIP/2.0/TLS 192.0.2.10:51234;branch=z9hG4bK58E6CA87.914C06A09A4174A8;branched=FALSE,SIP/2.0/TLS "
         "198.51.100.7:58674;ms-received-port=58674;ms-received-cid=39700\r\n"
         "RECORD-ROUTE: <sip:fe1.contoso.example:5061;transport=tls;opaque=state:T;lr>"
         ";tag=F0801F2A7EAD2D0381EEE38345CE6E66\r\n"
         "CONTENT-LENGTH: " +
         std::to_string(body.size()) +
         "\r\n"
         "CONTENT-TYPE: application/msrtc-media-relay-auth+xml\r\n"
         "SERVER: RTC/4.0\r\n"
         "ms-edge-proxy-message-trust: ms-source-type=EdgeProxyGenerated;ms-source-verified-user=verified\r\n\r\n" +
         body;
}

std::string many_small_fields() {
  std::string text = "SIP/2.0 200 OK\r\nl:0\r\n";
  for (std::size_t i = 1; i < mrascheck::sip::max_fields; ++i) text += "a:b\r\n";
  return text + "\r\n";
}

/// CPU seconds that reading `stream` takes; gives up when not every message and field is found.
double seconds_for(const std::string& stream, const Shape& shape) {
  std::size_t messages = 0;
  std::size_t fields = 0;
  const std::clock_t before = std::clock();
  mrascheck::sip::MessageReader reader;
  for (std::string_view rest = stream; !rest.empty();) {
    std::string_view piece = rest.substr(0, piece_bytes);
    rest.remove_prefix(piece.size());
    while (!piece.empty()) {
      if (reader.read(piece) != mrascheck::sip::MessageReader::Step::message) continue;
      mrascheck::sip::Message message = reader.take();
      ++messages;
      fields += message.fields.size();
      mrascheck::sip::wipe(message.body);
    }
  }
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  if (messages != stream.size() / shape.message.size() || fields != messages * shape.fields)
    give_up(fmt::format("{}: {} messages and {} fields were read: {}", shape.name, messages, fields, reader.problem()));
  return seconds;
}

}  // namespace

void sip() {
  const std::string document(905, 'x');  // as long as what Lync Server 2010 sends
  const std::array shapes{Shape{"SIP answers with their documents", answer_with(document), 10},
                          Shape{"SIP answers without", answer_with(""), 10},
                          Shape{"SIP headers of 256 fields of 3 bytes", many_small_fields(), 256}};
  std::vector<std::string> streams;
  for (const Shape& shape : shapes) {
    std::string& stream = streams.emplace_back();
    while (stream.size() < stream_bytes) stream += shape.message;
  }
  std::array<std::vector<double>, shapes.size()> speeds;
  for (int turn = 0; turn < sip_turns; ++turn) {
    for (std::size_t i = 0; i < shapes.size(); ++i)
      speeds.at(i).push_back(static_cast<double>(streams[i].size()) / 1e6 / seconds_for(streams[i], shapes.at(i)));
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::vector<double>& all = speeds.at(i);
    std::sort(all.begin(), all.end());
    const std::string bound = i < bounded ? fmt::format("at least_speed {:.0f}", least_speed) : "none";
    std::cout << fmt::format("{}: {:.0f} MB/s on one core ({:.0f} to {:.0f}, bound {})\n", shapes.at(i).name,
                             all[all.size() / 2], all.front(), all.back(), bound)
              << std::flush;
  }
}

}  // namespace mrascheck::bench
