// SPDX-License-Identifier: Apache-2.0
// What a relay may send: messages of both dialects, streams in pieces, and whole exchanges, in which each answer gets
// the transaction id that was asked with. Nothing is read past its end, pieces give what the whole gives, an exchange
// ends, and prints nothing that a terminal obeys.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "turn/allocation.hpp"
#include "turn/message.hpp"
#include "turn/stream.hpp"

namespace {

using namespace mrascheck;
using turn::Allocation;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_printable(const std::string& text) {
  require(text == printable(text, text.size()));
}

void read_one(Bytes bytes, RelayDialect dialect) {
  const auto message = turn::read_message(bytes, dialect);
  if (!message) return require_printable(message.error().text);
  require(message->attributes.size() <= turn::max_attributes);
  const std::array<std::uint8_t, 16> key{1, 2, 3};
  require(turn::check_integrity(*message, dialect, key).has_value());
  for (const auto& each : message->attributes) {
    require(each.at + 4 + each.size <= bytes.size());
    const Bytes value = *message->find(each.type);
    if (const auto address = turn::read_address(value, &message->id)) require_printable(address->text());
    if (const auto error = turn::read_error(value)) require_printable(error->text);
  }
}

std::string read_stream(Bytes stream, RelayDialect dialect, std::size_t piece) {
  turn::StreamReader reader(dialect);
  std::string seen;
  while (!stream.empty()) {
    const Bytes bytes = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(bytes.size());
    reader.feed(bytes);
    for (auto step = reader.next(); step != turn::StreamReader::Step::more; step = reader.next()) {
      if (step == turn::StreamReader::Step::greeted) seen += "greeted ";
      if (step == turn::StreamReader::Step::message) seen += to_hex(reader.take()) + " ";
      if (step == turn::StreamReader::Step::broken) {
        require_printable(reader.problem());
        return seen + "broken";  // in which words depends on how much of it was there
      }
    }
  }
  return seen + std::to_string(reader.pending());
}

ByteString server_hello() {
  ByteString hello = from_hex("160301004e020000460301");
  hello.resize(43);
  hello.push_back(0x20);
  hello.resize(76);
  for (const int each : {0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00}) hello.push_back(static_cast<std::uint8_t>(each));
  return hello;
}

/// `input`: messages, each behind its length of two bytes.
void exchange(Bytes input, RelayDialect dialect, RelayTransport transport) {
  turn::Question question;
  question.dialect = dialect;
  question.transport = transport;
  auto credentials = std::make_shared<RelayCredentials>();
  credentials->username = Secret{"AAECAwQF"};
  credentials->password = Secret{"BgcICQoL"};
  question.credentials = credentials;
  for (std::size_t i = 0; i < question.random.size(); ++i) question.random.at(i) = static_cast<std::uint8_t>(i);
  Allocation::TimePoint now{};
  Allocation allocation(std::move(question), now);
  const bool framed = transport == RelayTransport::tcp && dialect == RelayDialect::ms_turn;
  if (framed) {
    allocation.take_output();
    allocation.feed(server_hello(), now);
  }
  ByteString id(16);
  unsigned requests = 0;
  while (input.size() >= 2 && allocation.state() != Allocation::State::ended) {
    const ByteString output = allocation.take_output();
    if (!output.empty()) {
      require(++requests < 10);
      const std::size_t at = framed ? 8 : 4;
      require(output.size() >= at + id.size());
      std::copy_n(output.begin() + static_cast<std::ptrdiff_t>(at), id.size(), id.begin());
    }
    const std::size_t size = std::min<std::size_t>(std::size_t{input[0]} << 8U | input[1], input.size() - 2);
    ByteString message(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(2 + size);
    if (message.size() >= turn::header_size && (message[0] & 0x80U) == 0)
      std::copy(id.begin(), id.end(), message.begin() + 4);
    allocation.feed(framed ? turn::framed(message) : message, now);
  }
  allocation.end(RelayOutcome::no_answer, "no answer in time");
  require(allocation.state() == Allocation::State::ended);
  require(allocation.take_output().empty());
  const RelayLook& look = allocation.look();
  for (const std::string& text :
       {look.detail, look.error_text, look.relayed, look.reflexive, look.realm, look.server, look.alternate})
    require_printable(text);
  require(look.outcome == RelayOutcome::accepted || !look.released);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input{data, size};
  for (const RelayDialect dialect : {RelayDialect::ms_turn, RelayDialect::standard}) {
    read_one(input, dialect);
    const std::string whole = read_stream(input, dialect, input.size());
    require(read_stream(input, dialect, 1) == whole);
    require(read_stream(input, dialect, 5) == whole);
    for (const RelayTransport transport : {RelayTransport::udp, RelayTransport::tcp})
      exchange(input, dialect, transport);
  }
  require_printable(turn::describe(input));
  return 0;
}
