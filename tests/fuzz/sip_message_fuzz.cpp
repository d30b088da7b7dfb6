// SPDX-License-Identifier: Apache-2.0
// The stream reader: any bytes, whole and in pieces, must give the same messages and the same problem; and a
// transaction fed with them must hold its bounds and print nothing that a terminal obeys.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "sip/message.hpp"
#include "sip/service_transaction.hpp"

namespace {

using mrascheck::sip::MessageReader;
using mrascheck::sip::ServiceTransaction;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string read(std::string_view stream, std::size_t piece) {
  MessageReader reader;
  std::string flat;
  while (!stream.empty()) {
    std::string_view bytes = stream.substr(0, piece);
    stream.remove_prefix(bytes.size());
    while (!bytes.empty()) {
      if (reader.read(bytes) != MessageReader::Step::message) continue;
      const auto message = reader.take();
      require(message.fields.size() <= mrascheck::sip::max_fields);
      flat += message.method + ' ' + message.uri + ' ' + std::to_string(message.status) + ' ' + message.reason + '\n';
      for (const auto& field : message.fields) {
        require(field.value.find_first_of("\r\n") == std::string::npos);
        flat += field.name + ':' + field.value + '\n';
      }
      flat += message.body;
      for (const auto via : message.list("Via")) flat += mrascheck::sip::parameter_of(via, "branch");
    }
  }
  return flat + reader.problem() + reader.missing() + std::to_string(reader.pending_bytes());
}

mrascheck::sip::ServiceRequest sample_request() {
  mrascheck::sip::ServiceRequest request;
  request.front_end = "fe1.contoso.example";
  request.edge = "edge1.contoso.example";
  request.question.identity = "sip:probe@contoso.example";
  request.random = std::string(64, '1');
  return request;
}

// The input with "$R" standing for the fields of an answer that belongs to the request.
std::string as_answer(std::string_view input, const std::string& request) {
  std::string fields;
  for (const std::string_view name : {"\r\nVia: ", "\r\nFrom: ", "\r\nTo: ", "\r\nCall-ID: ", "\r\nCSeq: "}) {
    const std::size_t begin = request.find(name) + 2;
    fields += request.substr(begin, request.find("\r\n", begin) + 2 - begin);
  }
  std::string stream(input);
  if (const std::size_t at = stream.find("$R"); at != std::string::npos) stream.replace(at, 2, fields);
  return stream;
}

std::string play(std::string_view input, std::size_t piece) {
  ServiceTransaction transaction(sample_request());
  const std::string stream = as_answer(input, transaction.request());
  std::string output;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    transaction.feed(std::string_view(stream).substr(at, piece));
    output += transaction.take_output();
  }
  transaction.end();
  const auto& e = transaction.exchange();
  for (const auto& text : {e.problem, e.sip_reason, e.server_banner, e.reason_phrase, e.server_version, e.realm}) {
    require(text == mrascheck::printable(text, text.size()));
  }
  return output + e.problem + e.sip_reason + std::to_string(e.sip_status) + std::to_string(e.strangers);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = mrascheck::as_text({data, size});
  const std::string whole = read(input, std::string_view::npos);
  require(read(input, 1) == whole);
  require(read(input, 7) == whole);
  const std::string played = play(input, 1'000'000);
  require(play(input, 3) == played);
  return 0;
}
