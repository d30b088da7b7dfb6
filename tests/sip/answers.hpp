// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sip/service_transaction.hpp"

namespace mrascheck::test {

inline sip::ServiceRequest sample_request() {
  sip::ServiceRequest request;
  request.front_end = "fe1.contoso.example";
  request.front_end_address = "192.0.2.10";
  request.front_end_port = 49152;
  request.edge = "edge1.contoso.example";
  request.question.identity = "sip:probe@contoso.example";
  request.random = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
  return request;
}

/// The value of the first field `name` of a message that we wrote: no folding, one blank behind the colon.
inline std::string field_of(std::string_view message, std::string_view name) {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const std::size_t begin = message.find(start);
  if (begin == std::string_view::npos) return {};
  const std::size_t value = begin + start.size();
  return std::string(message.substr(value, message.find("\r\n", value) - value));
}

inline std::string body_of(std::string_view message) {
  return std::string(message.substr(message.find("\r\n\r\n") + 4));
}

inline std::string attribute_of(std::string_view xml, std::string_view name) {
  const std::string start = " " + std::string(name) + "=\"";
  const std::size_t value = xml.find(start) + start.size();
  return std::string(xml.substr(value, xml.find('"', value) - value));
}

/// What a UAS copies from a request (RFC 3261, 8.2.6.2), behind `status`, with `more` fields and a Content-Length.
inline std::string answer_to(std::string_view request, std::string_view status, std::string_view more = {},
                             std::string_view body = {}) {
  std::string text = "SIP/2.0 " + std::string(status) + "\r\n";
  for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    text += std::string(name) + ": " + field_of(request, name) + (name == "To" ? ";tag=6b04cac19" : "") + "\r\n";
  }
  text += more;
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return text;
}

inline constexpr std::string_view mras_type = "Content-Type: application/msrtc-media-relay-auth+xml\r\n";

/// User name and password are those of a token made for this test, 56 and 20 bytes.
inline constexpr std::string_view sample_username =
    "AgAAJKAFwAAB4PbASfw4WaCeLzqeGsSwMBBuVHgzhjMAAAAAMoc94bXMJ0C9IzZYFzEPQKtxYwM=";
inline constexpr std::string_view sample_password = "meBP3aZwzWq/2DJN0ruT2Dotqns=";

inline std::string relay_xml(std::string_view location, std::string_view host) {
  return "<mediaRelay><location>" + std::string(location) + "</location><hostName>" + std::string(host) +
         "</hostName><udpPort>3478</udpPort><tcpPort>443</tcpPort></mediaRelay>";
}

inline std::string credentials_xml() {
  return "<credentials><username>" + std::string(sample_username) + "</username><password>" +
         std::string(sample_password) +
         "</password><duration>480</duration><realm>contoso.example</realm></credentials>";
}

/// A response document with `inside` in its credentialsResponse.
inline std::string response_xml(std::string_view id, std::string_view inside, std::string_view reason = "OK") {
  const std::string number(id);
  return "<?xml version=\"1.0\"?>\r\n<response xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" requestID=\"" +
         number + "\" version=\"2.0\" serverVersion=\"2.0\" reasonPhrase=\"" + std::string(reason) +
         "\" xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\">\r\n  <credentialsResponse "
         "credentialsRequestID=\"" +
         number + "\">\r\n" + std::string(inside) + "</credentialsResponse>\r\n</response>\r\n";
}

inline std::string good_xml(std::string_view id) {
  return response_xml(id, credentials_xml() + "<mediaRelayList>" + relay_xml("intranet", "edge1.contoso.example") +
                              "</mediaRelayList>");
}

inline std::string good_answer(std::string_view request) {
  return answer_to(request, "200 OK", std::string(mras_type) + "Server: RTC/4.0\r\n",
                   good_xml(attribute_of(body_of(request), "requestID")));
}

}  // namespace mrascheck::test
