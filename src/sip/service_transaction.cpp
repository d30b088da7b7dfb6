// SPDX-License-Identifier: Apache-2.0
#include "sip/service_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/diagnostics.hpp"
#include "core/text.hpp"
#include "sip/message.hpp"
#include "sip/mras_body.hpp"
#include "sip/peer_request.hpp"

namespace mrascheck::sip {

namespace {

constexpr unsigned max_messages = 32;       // but for provisional answers
constexpr unsigned max_provisional = 1000;  // to one request
constexpr std::size_t max_diagnostics = 32;

// Deals out the caller's digits, from the front again when they are used up: what is made of them has to be unlike
// other requests' of its own kind, not unlike the rest of this request.
class Digits {
 public:
  explicit Digits(std::string_view random) {
    for (const char c : random) {
      if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) digits_ += c;
      if (c >= 'A' && c <= 'F') digits_ += static_cast<char>(c | 0x20);
    }
    if (digits_.empty()) digits_ = "0";
  }
  std::string take(std::size_t n) {
    std::string taken;
    for (; taken.size() < n; next_ = (next_ + 1) % digits_.size()) taken += digits_[next_];
    return taken;
  }
  std::string take_upper(std::size_t n) {
    std::string taken = take(n);
    for (char& c : taken) c = static_cast<char>(c >= 'a' ? c - 0x20 : c);
    return taken;
  }
  unsigned take_number(std::size_t n) { return static_cast<unsigned>(std::stoul(take(n), nullptr, 16)); }

 private:
  std::string digits_;
  std::size_t next_ = 0;
};

// A service or endpoint id as in Microsoft's GRUUs: 18 bytes, the last two zero, as 24 characters of base64url.
std::string gruu_id(Digits& digits) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned, 18> bytes{};
  for (std::size_t i = 0; i < 16; ++i) bytes.at(i) = digits.take_number(2);
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned group = bytes.at(i) << 16U | bytes.at(i + 1) << 8U | bytes.at(i + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) id += alphabet.at(group >> shift & 63U);
  }
  return id;
}

// For between '<' and '>': whatever could end the URI, the field or the line is escaped (RFC 3986, 2.1).
std::string uri_text(std::string_view uri) {
  std::string text;
  for (const char c : uri) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '<' || c == '>' || c == '"') {
      text += fmt::format("%{:02X}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

// A host name or address literal; one of IPv6 in brackets (RFC 3261, 25.1).
std::string host_text(std::string_view host) {
  const bool literal = host.find(':') != std::string_view::npos && !host.starts_with('[');
  return literal ? fmt::format("[{}]", uri_text(host)) : uri_text(host);
}

// "contoso.example" of "sip:ann@contoso.example;user=ip"; empty without '@'.
std::string_view domain_of(std::string_view uri) {
  const std::size_t at = uri.rfind('@');
  if (at == std::string_view::npos) return {};
  const std::string_view host = uri.substr(at + 1);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find_first_of(";?:>"));
}

/// What the request of a Front End of one generation has of its own.
struct Generation {
  /// The Request-URI is the Edge's host and port with ";grid", as a Lync 2010 Front End was captured sending it, and a
  /// second report of that hop has it; else the GRUU of To, as clients write it. Which of the two Lync Server 2013 and
  /// Skype for Business send is inferred; that OCS 2007 R2 passes the client's on is, too.
  bool grid;
  std::string_view version;     ///< of MRAS
  std::string_view user_agent;  ///< of the client: its Front End passes that on
};

const Generation& generation_of(Profile profile) {
  static constexpr Generation ocs2007r2{false, "1.0",
                                        "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)"};
  static constexpr Generation lync2010{true, "2.0", "UCCAPI/4.0.7577.0 OC/4.0.7577.0 (Microsoft Lync 2010)"};
  static constexpr Generation lync2013{true, "2.0", "UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)"};
  static constexpr Generation sfb{true, "2.0", "UCCAPI/16.0.4266.1001 OC/16.0.4266.1001 (Skype for Business)"};
  switch (profile) {
    case Profile::ocs2007r2:
      return ocs2007r2;
    case Profile::lync2010:
      return lync2010;
    case Profile::lync2013:
      return lync2013;
    case Profile::sfb:
      return sfb;
  }
  return lync2010;
}

struct Fields {
  std::string text;
  void add(std::string_view name, std::string_view value) { text += fmt::format("{}: {}\r\n", name, value); }
};

bool is_mras_type(std::string_view content_type) {
  return equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), mras_content_type);
}

// Several values may stand in one field, and an unquoted reason may hold commas: a value begins with its number.
std::vector<std::string> divide_diagnostics(std::string_view field) {
  std::vector<std::string> values;
  for (const auto element : split_list(field)) {
    const std::string_view id = trim(element.substr(0, element.find(';')));
    const bool begins = !id.empty() && id.find_first_not_of("0123456789.") == std::string_view::npos;
    if (begins || values.empty()) {
      values.emplace_back(element);
    } else {
      values.back().append(", ").append(element);
    }
  }
  return values;
}

bool same(const MsDiagnostics& a, const MsDiagnostics& b) {
  return a.id == b.id && a.sub == b.sub && a.parameters == b.parameters;
}

}  // namespace

struct ServiceTransaction::Impl {
  Impl(const ServiceRequest& asked, std::unique_ptr<MessageReader> stream);

  State feed(std::string_view bytes);
  void end();
  State expire();

  void take_message(Message message);
  void take_answer(Message& message);
  void read_header(const Message& answer);
  void read_body(const Message& answer, std::string body);
  std::string stranger(const Message& answer) const;
  void say_what_is_missing();
  void note(std::string_view problem);
  void note_surplus();

  std::string request;
  std::string output;
  std::unique_ptr<MessageReader> reader;
  MrasExchange exchange;
  bool keeps_credentials = false;
  RelayCredentials credentials;
  State state = State::waiting;
  bool ended = false;
  unsigned messages = 0;
  std::string answer_problem;  ///< exchange.problem without what stands behind the answer
  std::string last_stranger;

  std::string branch;
  std::string sent_by;  ///< of our Via: host and port
  std::string call_id;
  std::string local_tag;
  std::string request_id;
};

ServiceTransaction::Impl::Impl(const ServiceRequest& asked, std::unique_ptr<MessageReader> stream)
    : reader(std::move(stream)) {
  const bool mras = asked.service == Service::mras;
  const Generation& generation = generation_of(asked.question.profile.value_or(Profile::lync2010));
  keeps_credentials = mras && asked.keep_credentials;
  Digits digits(asked.random);
  branch = fmt::format("z9hG4bK{}.{}", digits.take_upper(8), digits.take_upper(16));
  call_id = digits.take(32);
  local_tag = digits.take(10);
  const std::string epid = digits.take(10);
  request_id = std::to_string(digits.take_number(6));

  exchange.method = mras ? "SERVICE" : "OPTIONS";
  exchange.request_uri = fmt::format("sip:{}:{}{}", host_text(asked.edge), asked.edge_port, mras ? ";grid" : "");

  const std::string front_end = host_text(asked.front_end);
  const std::string_view domain = domain_of(asked.question.identity);
  std::string from = fmt::format("sip:{}", front_end);
  std::string to = fmt::format("sip:{}", host_text(asked.edge));
  std::string contact = fmt::format("sip:{}:{};transport=tls", front_end, asked.front_end_port);
  std::string body;
  if (mras) {
    from = uri_text(asked.question.identity);
    // The id of a real service is known only to who can read the provisioning of a client. That the Edge answers to any
    // id is inferred: it has one MRAS service, and the request-URI names the host.
    to = asked.question.service_uri.empty()
             ? fmt::format("sip:{}@{};gruu;opaque=srvr:MRAS:{}", uri_text(asked.edge),
                           uri_text(domain.empty() ? asked.edge : domain), gruu_id(digits))
             : uri_text(asked.question.service_uri);
    if (!generation.grid) exchange.request_uri = to;
    contact = fmt::format("{};opaque=user:epid:{};gruu", from, gruu_id(digits));
    exchange.version = asked.version.empty() ? generation.version : asked.version;
    body = credentials_request({.id = request_id,
                                .to = to,
                                .from = from,
                                .version = exchange.version,
                                .location = asked.location,
                                .duration = asked.question.duration});
    exchange.location = asked.location;
    exchange.asked = asked.question.duration;
  }

  const std::string_view address = asked.front_end_address.empty() ? asked.front_end : asked.front_end_address;
  Fields fields;
  sent_by = fmt::format("{}:{}", host_text(address), asked.front_end_port);
  fields.add("Via", fmt::format("SIP/2.0/TLS {};branch={};branched=FALSE", sent_by, branch));
  fields.add("Max-Forwards", "69");  // as a Front End forwards it; its client began at 70
  fields.add("From", fmt::format("<{}>;tag={};epid={}", from, local_tag, epid));
  fields.add("To", fmt::format("<{}>", to));
  fields.add("Call-ID", call_id);
  fields.add("CSeq", fmt::format("1 {}", exchange.method));
  fields.add("Contact", fmt::format("<{}>", contact));
  fields.add("User-Agent", mras ? fmt::format("{} mrascheck", generation.user_agent) : "mrascheck");
  if (mras) {
    fields.add("Content-Type", mras_content_type);
  } else {
    fields.add("Accept", "application/sdp");  // RFC 3261, 11.1
  }
  fields.add("Content-Length", std::to_string(body.size()));
  request = fmt::format("{} {} SIP/2.0\r\n{}\r\n{}", exchange.method, exchange.request_uri, fields.text, body);
}

ServiceTransaction::State ServiceTransaction::Impl::feed(std::string_view bytes) {
  while (!bytes.empty() && state != State::broken && messages < max_messages) {
    const auto step = reader->read(bytes);
    if (step == MessageReader::Step::message) {
      const unsigned waits = exchange.provisional;
      take_message(reader->take());
      if (exchange.provisional != waits && exchange.provisional < max_provisional) continue;
      if ((++messages == max_messages || exchange.provisional == max_provisional) && state == State::waiting) {
        state = State::broken;
        note(last_stranger.empty()
                 ? fmt::format("no final answer behind {} provisional ones", exchange.provisional)
                 : fmt::format("no answer to our request among {} messages, the last {}", messages, last_stranger));
      }
    } else if (step == MessageReader::Step::broken && state == State::waiting) {
      state = State::broken;
      if (const Message* half = reader->pending(); half != nullptr && !half->is_request() && stranger(*half).empty()) {
        read_header(*half);
      }
      note(reader->problem());
    }
  }
  if (state == State::answered) note_surplus();
  return state;
}

void ServiceTransaction::Impl::end() {
  ended = true;
  if (state == State::answered) note_surplus();
  if (state != State::waiting) return;
  state = State::broken;
  say_what_is_missing();
}

ServiceTransaction::State ServiceTransaction::Impl::expire() {
  if (state != State::waiting) return state;
  say_what_is_missing();
  return state = State::expired;
}

void ServiceTransaction::Impl::say_what_is_missing() {
  if (!reader->idle()) {
    std::string_view whose = "the answer";
    if (const Message* half = reader->pending(); half != nullptr) {
      if (half->is_request()) {
        whose = "a request of the peer";
      } else if (!stranger(*half).empty()) {
        whose = "an answer to another request";
      } else {
        read_header(*half);
      }
    }
    note(reader->could_be_sip() ? fmt::format("{} is not whole: {}", whose, reader->missing()) : reader->missing());
  } else if (exchange.strangers > 0) {
    note(fmt::format("no answer to our request: all that came is {}", last_stranger));
  } else if (exchange.provisional > 0) {
    note(fmt::format("no final answer, only {}", count(exchange.provisional, "provisional one")));
  } else {
    note(reader->saw_keep_alive() ? "no answer: only empty lines came" : "no answer: not one byte came");
  }
}

void ServiceTransaction::Impl::take_message(Message message) {
  if (message.is_request()) {
    ++exchange.strangers;
    last_stranger = fmt::format("a request of the peer's own ({})", printable(message.method, 32));
    output += answer_to_request(message, local_tag);
  } else if (std::string why = stranger(message); !why.empty() || state != State::waiting) {
    ++exchange.strangers;
    last_stranger = std::move(why);
  } else if (message.status < 200) {
    ++exchange.provisional;
  } else {
    take_answer(message);
  }
  wipe(message.body);
}

void ServiceTransaction::Impl::take_answer(Message& message) {
  state = State::answered;
  exchange.answered = true;
  read_header(message);
  std::string body = std::exchange(message.body, {});
  if (exchange.method == "SERVICE") read_body(message, std::move(body));
  wipe(body);
  answer_problem = exchange.problem;
}

void ServiceTransaction::Impl::read_header(const Message& answer) {
  if (answer.status < 200) return;
  exchange.sip_status = answer.status;
  exchange.sip_reason = printable(answer.reason, 128);
  const auto server = answer.field("Server");
  exchange.server_banner = printable(server ? *server : answer.field("User-Agent").value_or(""), 128);
  exchange.date = parse_rfc1123(answer.field("Date").value_or(""));
  for (const std::string_view name : {"ms-diagnostics", "ms-diagnostics-public"}) {
    for (const auto field : answer.all(name)) {
      for (const auto& value : divide_diagnostics(field)) {
        const auto read = parse_diagnostics(value);
        if (!read || exchange.diagnostics.size() == max_diagnostics) continue;
        const auto known = [&](const MsDiagnostics& other) { return same(other, *read); };
        if (std::none_of(exchange.diagnostics.begin(), exchange.diagnostics.end(), known)) {
          exchange.diagnostics.push_back(*read);
        }
      }
    }
  }
}

// A refusal needs no body, and one of another kind is no fault in it; a grant without a document is.
void ServiceTransaction::Impl::read_body(const Message& answer, std::string body) {
  const bool granted = answer.status < 300;
  const auto type = answer.field("Content-Type");
  const auto coding = answer.field("Content-Encoding");
  if (body.empty()) {
    if (granted) note("the answer has no body, so it grants no credentials");
  } else if (!type || !is_mras_type(*type)) {
    if (granted) {
      note(fmt::format("the body of the answer is of type \"{}\", not {}", printable(type.value_or(""), 80),
                       mras_content_type));
    }
  } else if (coding && !equals_ignoring_case(*coding, "identity")) {
    note(fmt::format("the body of the answer is coded ({}); we asked for none", printable(*coding, 40)));
  } else {
    read_credentials_response(std::move(body), request_id, exchange, keeps_credentials ? &credentials : nullptr);
  }
  wipe(body);
}

// RFC 3261, 17.1.3, and 8.1.3.3: who the answer is for if not for us; empty when it is ours.
std::string ServiceTransaction::Impl::stranger(const Message& answer) const {
  if (answer.field("Call-ID").value_or("") != call_id) {
    return fmt::format("an answer to another Call-ID ({})", printable(answer.field("Call-ID").value_or("none"), 64));
  }
  const auto cseq = parse_cseq(answer.field("CSeq").value_or(""));
  if (!cseq || cseq->number != 1 || cseq->method != exchange.method) {
    return fmt::format("an answer to another CSeq ({})", printable(answer.field("CSeq").value_or("none"), 64));
  }
  const auto vias = answer.list("Via");
  const auto top = vias.empty() ? std::string_view{} : parameter_of(vias.front(), "branch");
  // RFC 3261, 18.1.2: an answer whose topmost Via another one sent is not ours, whatever else it says.
  const std::string_view via = vias.empty() ? std::string_view{} : vias.front().substr(0, vias.front().find(';'));
  const std::string_view host = trim(via.substr(std::min(via.size(), via.find_last_of(" \t/") + 1)));
  if (equals_ignoring_case(top, branch) && !equals_ignoring_case(trim(host), sent_by))
    return fmt::format("an answer to a request that {} sent", printable(host.empty() ? "nobody" : host, 64));
  if (!equals_ignoring_case(top, branch)) {
    return fmt::format("an answer to another branch ({})", printable(top.empty() ? "none" : top, 64));
  }
  return {};
}

void ServiceTransaction::Impl::note(std::string_view problem) {
  if (!exchange.problem.empty()) exchange.problem += "; ";
  exchange.problem += problem;
}

// What follows an answer on a stream is the next message: when it is none, it was body that Content-Length left out.
void ServiceTransaction::Impl::note_surplus() {
  exchange.problem = answer_problem;
  if (reader->could_be_sip() && (reader->idle() || !ended)) return;
  const std::size_t surplus = reader->pending_bytes();
  note(fmt::format("{} behind the answer {} no SIP message: the Content-Length of the answer is probably too small",
                   count(surplus, "byte"), surplus == 1 ? "is" : "are"));
}

ServiceTransaction::ServiceTransaction(const ServiceRequest& request)
    : impl_(std::make_unique<Impl>(request, std::make_unique<MessageReader>())) {}
ServiceTransaction::ServiceTransaction(const ServiceRequest& request, ServiceTransaction&& before)
    : impl_(std::make_unique<Impl>(request, std::move(before.impl_->reader))) {}
ServiceTransaction::~ServiceTransaction() = default;
ServiceTransaction::ServiceTransaction(ServiceTransaction&&) noexcept = default;
ServiceTransaction& ServiceTransaction::operator=(ServiceTransaction&&) noexcept = default;

const std::string& ServiceTransaction::request() const {
  return impl_->request;
}

ServiceTransaction::State ServiceTransaction::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}

std::string ServiceTransaction::take_output() {
  return std::exchange(impl_->output, {});
}

void ServiceTransaction::end() {
  impl_->end();
}

ServiceTransaction::State ServiceTransaction::expire() {
  return impl_->expire();
}

ServiceTransaction::Stage ServiceTransaction::stage() const {
  if (impl_->state != State::waiting) return Stage::terminated;
  return impl_->exchange.provisional > 0 ? Stage::proceeding : Stage::trying;
}

bool ServiceTransaction::can_go_on() const {
  return impl_->reader != nullptr && impl_->reader->problem().empty() && impl_->reader->could_be_sip();
}

const MrasExchange& ServiceTransaction::exchange() const {
  return impl_->exchange;
}

RelayCredentials ServiceTransaction::take_credentials() {
  return std::move(impl_->credentials);
}

}  // namespace mrascheck::sip
