// SPDX-License-Identifier: Apache-2.0
#include "turn/allocation.hpp"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "turn/stream.hpp"

namespace mrascheck::turn {
namespace {

using std::chrono::milliseconds;

// RFC 8489, 6.2.1.
constexpr milliseconds first_interval{500};
constexpr unsigned most_sendings = 7;
/// A nonce may be stale as soon as it came (RFC 8489, 9.2.5); who sends no other one would go on for ever.
constexpr unsigned most_stale_nonces = 2;
/// What a stream may bring of answers to no question of ours.
constexpr unsigned most_strangers = 32;

constexpr std::uint32_t ms_version = 1;             // [MS-TURN], 2.2.2.17: what every server knows
constexpr std::uint32_t udp_protocol = 17U << 24U;  // RFC 8656, 18.7
constexpr std::size_t longest_challenge = 763;      // RFC 8489, 14.9 and 14.10, in bytes
constexpr std::size_t sequence_number_size = 24;    // 20 of a connection id, four of the number

constexpr unsigned stale_nonce = 438;

/// Which answers to a request with credentials are about these. Which of them a relay of Microsoft's gives for
/// credentials that have expired is in no document that was found: each of these is taken for a no.
bool rejects_credentials(unsigned code) {
  constexpr std::array<unsigned, 8> codes{401, 430, 431, 432, 434, 435, 436, 441};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

Bytes bytes_of(const Secret& secret) {
  return as_bytes(secret.reveal());
}

}  // namespace

std::optional<Secret> decode_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  bytes.reserve(text.size());
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t signs = 0;
  std::size_t padding = 0;
  bool good = true;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    ++signs;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto digit = digits.find(c);
    good = good && digit != std::string_view::npos && padding == 0;
    if (!good) break;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xFFU);
  }
  good = good && signs % 4 == 0 && padding <= 2 && !bytes.empty();
  std::optional<Secret> decoded;
  if (good) decoded.emplace(bytes);
  explicit_bzero(bytes.data(), bytes.size());
  return decoded;
}

struct Allocation::Impl {
  Impl(Question asked, TimePoint now);
  ~Impl() {
    wipe(request);
    wipe(output);
    explicit_bzero(key.data(), key.size());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  bool udp() const { return question.transport == RelayTransport::udp; }
  bool standard() const { return question.dialect == RelayDialect::standard; }
  TransactionId next_id();
  void ask();
  void prove(TimePoint now);
  void release(TimePoint now);
  void send(ByteString message, TimePoint now);
  void take_message(Bytes bytes, TimePoint now);
  void take_error(const Message& message, TimePoint now);
  void take_grant(const Message& message, TimePoint now);
  bool take_challenge(const Message& message);
  void note_server(const Message& message);
  void finish(RelayOutcome outcome, std::string detail);
  void stranger(std::string what);

  Question question;
  Secret username;
  Secret password;
  State state = State::asking;
  RelayLook look;
  StreamReader stream;
  bool greeted = false;
  bool understood = false;
  std::size_t random_used = 0;

  TransactionId id{};
  std::uint16_t wanted = type::allocate;
  TimePoint began;
  ByteString request;  ///< as it is sent again over UDP, or waits for the ServerHello
  ByteString output;
  unsigned sendings = 0;
  std::optional<TimePoint> due;

  ByteString realm;
  ByteString nonce;
  std::array<std::uint8_t, 16> key{};
  bool challenged = false;
  ByteString sequence_number;
  unsigned stale_nonces = 0;
  unsigned strangers = 0;
  std::optional<Address> alternate;
};

Allocation::Impl::Impl(Question asked, TimePoint now)
    : question(std::move(asked)), stream(question.dialect), began(now) {
  look.dialect = question.dialect;
  look.transport = question.transport;
  greeted = standard();
  const RelayCredentials& given = *question.credentials;
  if (standard()) {
    username = Secret{std::string{given.username.reveal()}};
    password = Secret{std::string{given.password.reveal()}};
  } else {
    auto name = decode_base64(given.username.reveal());
    auto word = decode_base64(given.password.reveal());
    if (!name || !word) {
      finish(RelayOutcome::not_asked, "the credentials are not base64");
      return;
    }
    username = std::move(*name);
    password = std::move(*word);
  }
  ask();
  if (!udp() && !standard()) {
    std::array<std::uint8_t, hello_random> random{};
    std::copy_n(question.random.end() - hello_random, hello_random, random.begin());
    output = client_hello(random);
  } else {
    send(ByteString{request}, now);
  }
}

/// Few requests are made: for so many it has bytes, and no two are alike.
TransactionId Allocation::Impl::next_id() {
  TransactionId fresh{};
  if (standard()) std::copy(stun_magic.begin(), stun_magic.end(), fresh.begin());
  const std::size_t begin = standard() ? stun_magic.size() : 0;
  for (std::size_t i = begin; i < fresh.size(); ++i)
    fresh.at(i) = question.random.at(random_used++ % (question.random.size() - hello_random));
  return fresh;
}

void Allocation::Impl::ask() {
  id = next_id();
  wanted = type::allocate;
  MessageWriter writer(type::allocate, id, question.dialect);
  if (standard()) {
    writer.add_number(attribute::requested_transport, udp_protocol);
  } else {
    writer.add_number(attribute::ms_version, ms_version);
  }
  wipe(request);
  request = writer.take();
}

void Allocation::Impl::send(ByteString message, TimePoint now) {
  wipe(output);
  output = udp() || standard() ? std::move(message) : framed(message);
  wipe(message);
  sendings = 1;
  due = udp() ? std::optional{now + first_interval} : std::nullopt;
}

void Allocation::Impl::prove(TimePoint now) {
  const auto made = long_term_key(bytes_of(username), realm, bytes_of(password));
  if (!made) return finish(RelayOutcome::local_failure, made.error().text);
  key = *made;
  id = next_id();
  wanted = type::allocate;
  MessageWriter writer(type::allocate, id, question.dialect);
  // In the order in which a Windows client was seen to send them by those who answer it; none is demanded.
  if (standard()) {
    writer.add_number(attribute::requested_transport, udp_protocol);
  } else {
    writer.add_number(attribute::ms_version, ms_version);
  }
  writer.add(attribute::username, bytes_of(username));
  writer.add(standard() ? attribute::nonce : attribute::ms_nonce, nonce);
  writer.add(standard() ? attribute::realm : attribute::ms_realm, realm);
  if (const auto signed_it = writer.sign(key); !signed_it)
    return finish(RelayOutcome::local_failure, signed_it.error().text);
  wipe(request);
  request = writer.take();
  state = State::proving;
  send(ByteString{request}, now);
}

void Allocation::Impl::release(TimePoint now) {
  state = State::releasing;
  look.released = false;  // until it says so
  id = next_id();
  wanted = standard() ? type::refresh : type::allocate;
  MessageWriter writer(wanted, id, question.dialect);
  if (!standard()) writer.add_number(attribute::ms_version, ms_version);
  writer.add_number(attribute::lifetime, 0);
  if (sequence_number.size() == sequence_number_size) {
    ByteString counted = sequence_number;
    for (std::size_t i = counted.size(); i-- > counted.size() - 4 && ++counted[i] == 0;) {
    }
    writer.add(attribute::ms_sequence_number, counted);
  }
  if (challenged) {
    writer.add(attribute::username, bytes_of(username));
    writer.add(standard() ? attribute::nonce : attribute::ms_nonce, nonce);
    writer.add(standard() ? attribute::realm : attribute::ms_realm, realm);
    if (!writer.sign(key)) {
      state = State::ended;
      return;
    }
  }
  wipe(request);
  request = writer.take();
  send(ByteString{request}, now);
}

void Allocation::Impl::finish(RelayOutcome outcome, std::string detail) {
  if (state == State::ended) return;
  if (state != State::releasing) {
    look.outcome = outcome;
    look.detail = std::move(detail);
  } else if (look.detail.empty() && !detail.empty()) {
    look.detail = "not released: " + detail;
  }
  state = State::ended;
  due.reset();
  wipe(output);
}

/// Answers to a question of ours that was repeated may come twice. Over a connection nothing but answers can come.
void Allocation::Impl::stranger(std::string what) {
  if (++strangers < most_strangers) return;
  finish(RelayOutcome::not_a_relay, std::move(what));
}

void Allocation::Impl::note_server(const Message& message) {
  constexpr std::size_t longest = 128;
  if (const auto software = message.find(attribute::software)) {
    look.server = printable(as_text(*software), longest);
  } else if (const auto version = message.number(attribute::ms_version); version && !standard()) {
    look.server = fmt::format("MS-Version {}", *version);
  }
}

bool Allocation::Impl::take_challenge(const Message& message) {
  const auto new_realm = message.find(standard() ? attribute::realm : attribute::ms_realm);
  const auto new_nonce = message.find(standard() ? attribute::nonce : attribute::ms_nonce);
  if (!new_nonce || (!new_realm && realm.empty())) return false;
  if ((new_realm && new_realm->size() > longest_challenge) || new_nonce->size() > longest_challenge) return false;
  if (new_realm) realm.assign(new_realm->begin(), new_realm->end());
  nonce.assign(new_nonce->begin(), new_nonce->end());
  look.realm = printable(as_text(realm), 255);
  challenged = true;
  return true;
}

void Allocation::Impl::take_error(const Message& message, TimePoint now) {
  const auto value = message.find(attribute::error_code);
  const auto error = value ? read_error(*value) : std::nullopt;
  if (!error) return finish(RelayOutcome::not_a_relay, "an error of TURN without a code that could be read");
  const auto named = message.find(standard() ? attribute::alternate_server : attribute::ms_alternate_server);
  const auto other = named ? read_address(*named) : std::nullopt;
  const bool first = state == State::asking && error->code == 401;
  const bool stale = state != State::asking && error->code == stale_nonce && stale_nonces < most_stale_nonces;
  if ((first || stale) && take_challenge(message)) {
    if (stale) ++stale_nonces;
    if (first && other) {
      look.alternate = other->text();
      if (udp() && !standard()) alternate = other;
    }
    return state == State::releasing ? release(now) : prove(now);
  }
  if (state == State::releasing) return finish(look.outcome, fmt::format("{} {}", error->code, error->text));
  if (first) return finish(RelayOutcome::not_a_relay, "a 401 without realm and nonce, to which nobody can answer");
  look.error_code = error->code;
  look.error_text = error->text;
  if (other) look.alternate = other->text();
  finish(state == State::proving && rejects_credentials(error->code) ? RelayOutcome::credentials_rejected
                                                                     : RelayOutcome::error,
         "");
}

void Allocation::Impl::take_grant(const Message& message, TimePoint now) {
  if (state == State::releasing) {
    look.released = true;
    return finish(look.outcome, "");
  }
  const auto read = [&](std::uint16_t wanted_type, bool masked) {
    const auto value = message.find(wanted_type);
    const auto address = value ? read_address(*value, masked ? &message.id : nullptr) : std::nullopt;
    return address ? address->text() : std::string{};
  };
  look.relayed = standard() ? read(attribute::xor_relayed_address, true) : read(attribute::mapped_address, false);
  look.reflexive = read(standard() ? attribute::xor_mapped_address : attribute::ms_xor_mapped_address, true);
  if (const auto lifetime = message.number(attribute::lifetime)) look.lifetime = std::chrono::seconds{*lifetime};
  if (const auto number = message.find(attribute::ms_sequence_number); number && !standard())
    sequence_number.assign(number->begin(), number->end());
  if (challenged) {
    const auto integrity = check_integrity(message, question.dialect, key);
    look.integrity = integrity && *integrity == Integrity::holds;
  }
  look.outcome = RelayOutcome::accepted;
  // An instant that rounds to nothing still took place: 0 means that it did not.
  look.allocate_time =
      std::max(std::chrono::microseconds{1}, std::chrono::duration_cast<std::chrono::microseconds>(now - began));
  release(now);
}

void Allocation::Impl::take_message(Bytes bytes, TimePoint now) {
  const auto message = read_message(bytes, question.dialect);
  if (!message) {
    return finish(RelayOutcome::not_a_relay,
                  understood ? fmt::format("an answer that cannot be read: {}", message.error().text)
                             : fmt::format("{} ({})", describe(bytes), message.error().text));
  }
  if (message->id != id) return stranger("only answers to questions that nobody asked");
  understood = true;
  note_server(*message);
  const auto success = static_cast<std::uint16_t>(wanted | 0x0100U);
  const auto error = static_cast<std::uint16_t>(wanted | 0x0110U);
  if (message->type == success) {
    take_grant(*message, now);
  } else if (message->type == error) {
    take_error(*message, now);
  } else {
    finish(RelayOutcome::not_a_relay, fmt::format("a message of type {:#06x} for an answer", message->type));
  }
}

Allocation::Allocation(Question question, TimePoint now) : impl_(std::make_unique<Impl>(std::move(question), now)) {}
Allocation::~Allocation() = default;
Allocation::Allocation(Allocation&&) noexcept = default;
Allocation& Allocation::operator=(Allocation&&) noexcept = default;

Allocation::State Allocation::state() const {
  return impl_->state;
}

ByteString Allocation::take_output() {
  return std::exchange(impl_->output, {});
}

std::optional<Allocation::TimePoint> Allocation::due() const {
  return impl_->due;
}

void Allocation::tick(TimePoint now) {
  if (!impl_->due || now < *impl_->due || impl_->state == State::ended) return;
  if (impl_->sendings == most_sendings) {
    impl_->due.reset();
    return;
  }
  wipe(impl_->output);
  impl_->output = impl_->request;
  const auto interval = first_interval * (1U << impl_->sendings);
  ++impl_->sendings;
  impl_->due = impl_->sendings < most_sendings ? std::optional{now + interval} : std::nullopt;
}

void Allocation::send_again(TimePoint now) {
  if (impl_->state != State::ended) impl_->send(ByteString{impl_->request}, now);
}

void Allocation::feed(Bytes bytes, TimePoint now) {
  if (impl_->state == State::ended) return;
  if (impl_->udp()) return impl_->take_message(bytes, now);
  impl_->stream.feed(bytes);
  while (impl_->state != State::ended) {
    switch (impl_->stream.next()) {
      case StreamReader::Step::more:
        return;
      case StreamReader::Step::greeted:
        impl_->greeted = true;
        impl_->send(ByteString{impl_->request}, now);
        break;
      case StreamReader::Step::message:
        impl_->take_message(impl_->stream.take(), now);
        break;
      case StreamReader::Step::broken:
        return impl_->finish(RelayOutcome::not_a_relay,
                             impl_->greeted && impl_->question.dialect == RelayDialect::ms_turn
                                 ? fmt::format("behind the hello of a relay, {}", impl_->stream.problem())
                                 : impl_->stream.problem());
    }
  }
}

void Allocation::end(RelayOutcome outcome, std::string detail) {
  if (impl_->state == State::asking && impl_->stream.pending() > 0 && outcome != RelayOutcome::local_failure) {
    // A greeting that breaks off, or a word that is too short to tell.
    return impl_->finish(RelayOutcome::not_a_relay,
                         fmt::format("{}, and then: {}", describe(impl_->stream.pending_bytes()), detail));
  }
  impl_->finish(outcome, std::move(detail));
}

const std::optional<Address>& Allocation::alternate() const {
  return impl_->alternate;
}

bool Allocation::understood() const {
  return impl_->understood || (impl_->greeted && impl_->question.dialect == RelayDialect::ms_turn);
}

const RelayLook& Allocation::look() const {
  return impl_->look;
}

}  // namespace mrascheck::turn
