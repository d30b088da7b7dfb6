// SPDX-License-Identifier: Apache-2.0
#include "sources/handshake.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "core/text.hpp"
#include "sip/message.hpp"
#include "sip/service_transaction.hpp"
#include "transport/connection.hpp"
#include "transport/tls_stream.hpp"
#include "x509/certificate_reader.hpp"

namespace mrascheck::sources {

using transport::StepEnd;
using transport::TlsStream;
using Clock = Deadline::Clock;

namespace {

std::string seconds(Clock::duration time) {
  return fmt::format("{:g} s",
                     std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(time)).count());
}

/// How long a step took on a connection, without what lay here unread because other links were being computed for: so
/// many links at a time are no property of the network.
class Stopwatch {
 public:
  explicit Stopwatch(const transport::Connection& connection)
      : connection_(connection), started_(Clock::now()), lain_before_(connection.left_lying()) {}
  std::chrono::microseconds read() const {
    return at_least_something(Clock::now() - started_ - (connection_.left_lying() - lain_before_));
  }
  /// An instant that rounds to nothing still took place: 0 means that it did not.
  static std::chrono::microseconds at_least_something(Clock::duration time) {
    return std::max(std::chrono::microseconds{1}, std::chrono::duration_cast<std::chrono::microseconds>(time));
  }

 private:
  const transport::Connection& connection_;
  Clock::time_point started_;
  std::chrono::nanoseconds lain_before_;
};

/// 64 hexadecimal digits from the system; empty when it has none to give.
std::string fresh_random() {
  std::array<std::uint8_t, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  return to_hex(bytes);
}

/// Whether a service that does not speak the version asked for names another one that it speaks.
bool other_version(const MrasExchange& exchange) {
  const std::string& version = exchange.server_version;
  const bool number = !version.empty() && version.size() <= 8 &&
                      std::all_of(version.begin(), version.end(), [](char c) { return c == '.' || is_digit(c); });
  return equals_ignoring_case(exchange.reason_phrase, "Version Mismatch") && number && version != exchange.version;
}

class Look {
 public:
  Look(Probe task, Deadline run) : task_(std::move(task)), run_(std::move(run)) {
    record_.from = task_.from->name;
    record_.to = task_.to->name;
    record_.address = task_.address;
    record_.port = task_.link->port;
    record_.variant = task_.variant;
  }

  boost::asio::awaitable<Handshake> go();

 private:
  boost::asio::awaitable<void> confirm(TlsStream& stream);
  struct Question {
    Service service = Service::mras;
    MrasLocation location = MrasLocation::intranet;
    std::string version = {};
  };
  struct Asked {
    std::unique_ptr<sip::ServiceTransaction> transaction;                            ///< nothing when none could begin
    sip::ServiceTransaction::State state = sip::ServiceTransaction::State::waiting;  ///< waiting: see `how`
    StepEnd how;
    bool silent = false;  ///< nothing came in time, and the connection stands
    Clock::time_point started;
    std::chrono::milliseconds limit{0};
    std::chrono::microseconds took{0};
  };
  boost::asio::awaitable<void> ask(TlsStream& stream);
  boost::asio::awaitable<Asked> exchange(TlsStream& stream, const Question& what,
                                         std::unique_ptr<sip::ServiceTransaction> before);
  MrasExchange told(const Asked& asked) const;
  MrasExchange told_besides(const Asked& asked) const;
  void conclude(const Asked& asked);
  void no_answer(const Asked& asked);
  void observe(const crypto::TlsFacts& facts) { sources::observe(facts, task_.chain, *task_.pool, record_); }
  /// Whether the peer's verdict on our certificate comes after we are through with the handshake.
  bool late_verdict() const { return record_.tls_version == "TLSv1.3"; }
  void end(Phase phase, const StepEnd& how, Clock::time_point started) { end(phase, how, started, task_.limits.step); }
  void end(Phase phase, const StepEnd& how, Clock::time_point started, Clock::duration limit);

  Probe task_;
  Deadline run_;
  Handshake record_;
  Clock::time_point secured_;  ///< when TLS was through
};

/// `limit`: the step's own time, from `started` on; one that the run's deadline cut short blames nobody.
void Look::end(Phase phase, const StepEnd& how, Clock::time_point started, Clock::duration limit) {
  record_.phase = how.ok() ? Phase::done : phase;
  record_.outcome = how.outcome;
  record_.detail = how.detail;
  if (how.outcome != Outcome::timed_out || how.error != 0) return;
  const auto waited = Clock::now() - started;
  if (run_.stop.stop_requested()) {
    record_.outcome = Outcome::local_failure;  // our own end, not the peer's silence
    record_.detail = fmt::format("interrupted after {}", seconds(waited));
  } else if (run_.over() && waited < limit) {
    record_.outcome = Outcome::local_failure;
    record_.detail = fmt::format("no answer within {}, when the run's deadline came", seconds(waited));
  } else {
    record_.detail = fmt::format("no answer within {}", seconds(limit));
  }
}

boost::asio::awaitable<Handshake> Look::go() {
  auto started = Clock::now();
  transport::Connected connected =
      co_await transport::connect(task_.address, task_.link->port, run_.within(task_.limits.step), task_.sources);
  if (!connected.end.ok()) {
    end(Phase::connect, connected.end, started);
    co_return std::move(record_);
  }
  record_.connect_time = Stopwatch::at_least_something(Clock::now() - started);
  if (const auto network = connected.connection->first_round_trip())
    record_.connect_time = std::min(record_.connect_time, *network);

  auto engine = crypto::TlsEngine::client(task_.context, task_.link->server_name.value_or(task_.to->name));
  if (!engine) {
    end(Phase::tls, {Outcome::local_failure, 0, engine.error().text}, started);
    co_return std::move(record_);
  }
  TlsStream stream(std::move(*connected.connection), std::move(*engine));
  started = Clock::now();
  const Stopwatch watch(stream.connection());
  const StepEnd shaken = co_await stream.handshake(run_.within(task_.limits.step));
  observe(stream.engine().facts());
  const bool judged = task_.link->service != Service::tls;
  if (!shaken.ok()) {
    end(Phase::tls, shaken, started);
    if (judged && record_.outcome == Outcome::rejected_by_peer) {  // it was the first, and need not be the only one
      if (const auto ours = refusal(record_, *task_.to, *task_.trust, task_.now, task_.signature))
        record_.detail += "; " + *ours;
    }
    co_return std::move(record_);
  }
  record_.tls_time = watch.read();
  secured_ = Clock::now();

  const auto refused =
      judged ? refusal(record_, *task_.to, *task_.trust, task_.now, task_.signature) : std::optional<std::string>{};
  if (refused || !judged) {
    co_await confirm(stream);
  } else {
    co_await ask(stream);
  }
  observe(stream.engine().facts());
  if (refused) {
    const bool refused_too = record_.outcome == Outcome::rejected_by_peer || record_.outcome == Outcome::closed ||
                             record_.outcome == Outcome::reset;
    // Whether it refuses is the very question of a link that expects that; else the first to refuse counts.
    if (!refused_too || task_.link->expect == Expectation::accept) {
      const std::string theirs = refused_too ? "; the peer refuses too: " + record_.detail : std::string{};
      end(Phase::confirm, {Outcome::rejected_by_us, 0, *refused + theirs}, secured_);
    }
  }
  stream.close();
  co_return std::move(record_);
}

/// Waits until the peer has said something, or was quiet for long enough to count as content (RFC 8446, 4.4.2.4: in
/// TLS 1.3 a server's verdict on our certificate comes after we are through).
boost::asio::awaitable<void> Look::confirm(TlsStream& stream) {
  const Deadline patience = run_.within(task_.limits.quiet);
  std::string plaintext;
  bool spoke = false;
  StepEnd heard = co_await stream.read(plaintext, patience);
  // In TLS 1.3 a server may speak before it has seen our certificate: its words prove nothing until no alert followed.
  while (heard.ok() && late_verdict()) {
    spoke = true;
    plaintext.clear();
    heard = co_await stream.read(plaintext, patience);
  }
  const bool quiet =
      heard.outcome == Outcome::timed_out && heard.error == 0 && Clock::now() - secured_ >= task_.limits.quiet;
  record_.peer_answered = heard.ok() || (quiet && spoke);
  if (quiet) record_.quiet_for = task_.limits.quiet;
  end(Phase::confirm, quiet ? StepEnd{} : heard, secured_, task_.limits.quiet);
}

/// One request and what comes of it, within the time of a step: `before` is what was asked last on this connection.
boost::asio::awaitable<Look::Asked> Look::exchange(TlsStream& stream, const Question& what,
                                                   std::unique_ptr<sip::ServiceTransaction> before) {
  Asked asked;
  asked.started = Clock::now();
  asked.limit = std::min(task_.limits.step, sip::timer_f);
  const Deadline step = run_.within(asked.limit);
  sip::ServiceRequest request;
  request.service = what.service;
  request.location = what.location;
  request.version = what.version;
  request.front_end = task_.from->name;
  request.front_end_address = stream.connection().local_address();
  request.front_end_port = stream.connection().local_port();
  request.edge = task_.to->pool.empty() ? task_.to->name : task_.to->pool;
  request.edge_port = task_.link->port;
  request.question = task_.question;
  request.keep_credentials = task_.grants != nullptr;
  request.random = fresh_random();
  if (request.random.empty()) {
    asked.how = {Outcome::local_failure, 0, "the system gave no random numbers"};
    co_return asked;
  }
  asked.transaction = before ? std::make_unique<sip::ServiceTransaction>(request, std::move(*before))
                             : std::make_unique<sip::ServiceTransaction>(request);
  sip::ServiceTransaction& transaction = *asked.transaction;
  const Stopwatch watch(stream.connection());
  asked.how = co_await stream.write(transaction.request(), step);
  std::string plaintext;
  while (asked.how.ok()) {
    sip::wipe(plaintext);  // it may hold the credentials
    asked.how = co_await stream.read(plaintext, step);
    if (!asked.how.ok()) break;
    asked.state = transaction.feed(plaintext);
    // In TLS 1.3, empty lines may come from somebody who has not yet seen our certificate.
    const bool words = plaintext.find_first_not_of("\r\n") != std::string::npos;
    record_.peer_answered = record_.peer_answered || words || !late_verdict();
    const std::string reply = transaction.take_output();
    if (!reply.empty()) {
      const StepEnd sent = co_await stream.write(reply, step);
      if (asked.state == sip::ServiceTransaction::State::waiting) asked.how = sent;
    }
    if (asked.state != sip::ServiceTransaction::State::waiting) break;
  }
  sip::wipe(plaintext);
  asked.took = watch.read();
  if (RelayCredentials granted = transaction.take_credentials(); !granted.username.empty() && task_.grants != nullptr)
    task_.grants->push_back({transaction.exchange().relays, std::move(granted)});
  if (asked.state != sip::ServiceTransaction::State::waiting) co_return asked;
  asked.silent = asked.how.outcome == Outcome::timed_out && asked.how.error == 0;
  if (asked.silent) {
    transaction.expire();
  } else {
    transaction.end();
  }
  co_return asked;
}

/// What was seen of one request, with the instant at which its answer was there.
MrasExchange Look::told(const Asked& asked) const {
  MrasExchange exchange = asked.transaction->exchange();
  if (exchange.answered)
    exchange.answered_at = task_.now + std::chrono::round<std::chrono::seconds>(Clock::now() - task_.began);
  return exchange;
}

/// The same of a request that the record does not end with: its problem says how it ended.
MrasExchange Look::told_besides(const Asked& asked) const {
  MrasExchange exchange = told(asked);
  if (exchange.answered || asked.state != sip::ServiceTransaction::State::waiting) return exchange;
  const std::string how = asked.silent               ? fmt::format("no answer within {}", seconds(asked.limit))
                          : asked.how.detail.empty() ? std::string{to_string(asked.how.outcome)}
                                                     : asked.how.detail;
  exchange.problem = exchange.problem.empty() ? how : fmt::format("{}: {}", how, exchange.problem);
  return exchange;
}

/// An OPTIONS first where that is wanted, then a SERVICE, once more where its version is not spoken, and another one
/// where both locations are asked for. How the record ends is told of the first answer that counts.
boost::asio::awaitable<void> Look::ask(TlsStream& stream) {
  using State = sip::ServiceTransaction::State;
  const bool mras = task_.link->service == Service::mras;
  const bool both = mras && task_.question.location == MrasLocation::both;
  std::unique_ptr<sip::ServiceTransaction> before;
  if (mras && task_.question.options_first) {
    Asked first = co_await exchange(stream, {.service = Service::sip}, nullptr);
    const bool stands = first.transaction && (first.state == State::answered || first.silent) &&
                        first.transaction->can_go_on() && !run_.over();
    if (!stands) {
      conclude(first);
      co_return;
    }
    record_.further.push_back(told_besides(first));
    before = std::move(first.transaction);
  }
  Question question{.service = task_.link->service,
                    .location = both ? MrasLocation::intranet : task_.question.location};
  Asked answer = co_await exchange(stream, question, std::move(before));
  if (answer.state == State::answered && mras && answer.transaction->can_go_on()) {
    const MrasExchange seen = answer.transaction->exchange();
    if (other_version(seen)) {
      MrasExchange& refused = record_.further.emplace_back(told(answer));
      refused.asked_again = true;
      question.version = seen.server_version;
      answer = co_await exchange(stream, question, std::move(answer.transaction));
    }
  }
  conclude(answer);
  if (!both || answer.state != State::answered || !answer.transaction->can_go_on() || run_.over()) co_return;
  question.location = MrasLocation::internet;
  const Asked second = co_await exchange(stream, question, std::move(answer.transaction));
  // Cut off by the end of the run it has not been asked.
  const bool cut_off = second.silent && run_.over() && second.took < second.limit;
  if (second.transaction && !cut_off) record_.further.push_back(told_besides(second));
}

/// Ends the record with what came of one request.
void Look::conclude(const Asked& asked) {
  if (!asked.transaction) {
    end(Phase::confirm, asked.how, asked.started);
    return;
  }
  switch (asked.state) {
    case sip::ServiceTransaction::State::answered:
      record_.sip_time = asked.took;
      end(Phase::sip, {}, asked.started);
      break;
    case sip::ServiceTransaction::State::broken:
      end(Phase::sip, {Outcome::not_sip, 0, asked.transaction->exchange().problem}, asked.started);
      break;
    case sip::ServiceTransaction::State::waiting:
    case sip::ServiceTransaction::State::expired:
      no_answer(asked);
      break;
  }
  record_.mras = told(asked);
  if (!record_.mras->answered && record_.mras->problem.empty()) record_.mras->problem = record_.detail;
}

void Look::no_answer(const Asked& asked) {
  const bool quiet = !record_.peer_answered && Clock::now() - secured_ >= task_.limits.quiet;
  // An alert before any answer is the verdict on our certificate, however long it took.
  const bool confirmed = record_.peer_answered || (quiet && asked.how.outcome != Outcome::rejected_by_peer);
  if (confirmed && quiet) record_.quiet_for = task_.limits.quiet;
  end(confirmed ? Phase::sip : Phase::confirm, asked.how, asked.started, asked.limit);
  const std::string& problem = asked.transaction->exchange().problem;
  if (record_.peer_answered && !problem.empty()) record_.detail += ": " + problem;
}

}  // namespace

void observe(const crypto::TlsFacts& facts, const std::vector<CertificateRef>& chain, CertificatePool& pool,
             Handshake& record) {
  record.tls_version = facts.version;
  record.cipher = facts.cipher;
  record.client_certificate_requested = facts.client_certificate_requested;
  record.certificate_sent = facts.certificate_sent;
  record.secure_renegotiation = facts.secure_renegotiation;
  record.session_ticket = facts.session_ticket;
  record.ocsp_staple = facts.ocsp_staple;
  record.alerts_sent = facts.alerts_sent;
  record.alerts_received = facts.alerts_received;
  record.accepted_issuer_count = facts.accepted_issuer_count;
  record.accepted_issuer_bytes = facts.accepted_issuer_bytes;
  if (facts.certificate_sent) record.sent_chain = chain;
  if (record.accepted_issuers.empty()) {
    for (const ByteString& der : facts.accepted_issuers) {
      if (auto name = x509::read_name(der)) record.accepted_issuers.push_back(std::move(*name));
    }
  }
  if (!record.peer_chain.empty() || !record.peer_chain_unreadable.empty()) return;
  for (std::size_t i = 0; i < facts.peer_chain.size(); ++i) {
    auto certificate = pool.intern(facts.peer_chain[i]);
    if (certificate) {
      record.peer_chain.push_back(std::move(*certificate));
    } else {
      record.peer_chain_unreadable.push_back(
          {fmt::format("certificate {} of {}", i + 1, facts.peer_chain.size()), certificate.error().text});
      // Without the first one, the second would pass for the server's own.
      if (i == 0) break;
    }
  }
}

std::optional<std::string> refusal(const Handshake& record, const Server& to, const TrustView& trust, UtcTime at,
                                   const SignatureOracle& signature) {
  if (record.peer_chain.empty() && !record.peer_chain_unreadable.empty())
    return fmt::format("its certificate cannot be read: {}", record.peer_chain_unreadable.front().reason);
  if (!trust.configured || record.peer_chain.empty()) return std::nullopt;
  const std::vector<std::string> names = expected_names(to);
  const PeerJudgement judgement = judge_peer(record.peer_chain, trust, names, server_auth_oid, at, signature);
  if (!judgement.name_matches) {
    const Certificate& own = *record.peer_chain.front();
    std::vector<std::string> carried = own.dns_names;
    if (carried.empty()) carried.push_back(short_name(own));
    if (carried.size() > 4) {
      carried.resize(4);
      carried.emplace_back("others");
    }
    return fmt::format("{} would refuse it: its certificate is for {}, not for {}", record.from, enumerate(carried),
                       fmt::join(names, " or "));
  }
  if (judgement.trusted() || judgement.paths.undecided()) return std::nullopt;
  // What could not be read might have held the missing link.
  if (!trust.missing.empty() || !trust.damaged.empty() || !record.peer_chain_unreadable.empty()) return std::nullopt;
  std::string why = "no certification path";
  if (!judgement.paths.paths.empty() && !judgement.paths.paths.front().problems.empty()) {
    why = judgement.paths.paths.front().problems.front().text;
  }
  return fmt::format("{} would refuse it: {}", record.from, why);
}

boost::asio::awaitable<Handshake> probe(Probe task, Deadline run) {
  Look look(std::move(task), std::move(run));
  Handshake record = co_await look.go();
  co_return record;
}

}  // namespace mrascheck::sources
