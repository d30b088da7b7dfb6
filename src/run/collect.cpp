// SPDX-License-Identifier: Apache-2.0
#include "run/collect.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "core/demands.hpp"
#include "core/in_use.hpp"
#include "core/text.hpp"
#include "crypto/ocsp.hpp"
#include "crypto/signature.hpp"
#include "crypto/tls_engine.hpp"
#include "run/fetches.hpp"
#include "run/relays.hpp"
#include "run/remedies.hpp"
#include "run/slots.hpp"
#include "sources/handshake.hpp"
#include "sources/offer.hpp"
#include "sources/sources.hpp"
#include "transport/loop.hpp"
#include "transport/resolve.hpp"

namespace mrascheck::run {

using transport::Gate;
using transport::Loop;
using Clock = Deadline::Clock;
using Task = boost::asio::awaitable<void>;
using LoadResult = tl::expected<sources::LoadedIdentity, IdentityError>;

namespace {

/// Threads that read end soon after the deadline by themselves; one that has not by then is left alone.
constexpr std::chrono::milliseconds reading_grace{500};
/// Verifying signatures is computing, not waiting: this much of it may follow the deadline.
constexpr std::chrono::milliseconds computing_grace{2'000};
/// So many connections at a time to one host as Limits says, so that a burst of ours is not what breaks it, until one
/// takes this long: the others need not wait for a peer that may never answer.
constexpr std::chrono::milliseconds politeness{250};
/// Links that are at work at a time. More of them do not end earlier, but each takes memory, and those that compute
/// would stand in line; what only waits for its peer does not count.
constexpr unsigned at_work_at_once = 32;
/// When no link has ended for so long, those at work wait for their peers: others may begin.
constexpr std::chrono::milliseconds lull{20};
/// And the longer it lasts, the sooner the next ones, down to this.
constexpr std::chrono::milliseconds shortest_lull{2};
/// Of this process's open files so many are for other things than links.
constexpr rlim_t other_files = 256;
/// Names asked for at once; each takes a socket.
constexpr unsigned names_at_once = 64;

/// Something that others wait for. `ready` opens when it arrives, and for all at the end of the run.
struct Awaited {
  explicit Awaited(Loop& loop) : ready(loop) {}
  Gate ready;
  bool arrived = false;
  std::optional<Error> error;  ///< why it arrived without what was wanted
};

struct AwaitedIdentity : Awaited {
  using Awaited::Awaited;
  std::optional<sources::LoadedIdentity> loaded;
};

struct AwaitedName : Awaited {
  using Awaited::Awaited;
  std::vector<std::string> addresses;
};

/// What a server brings to all its links.
struct Client {
  struct Variant {
    std::string name;
    crypto::TlsContext context;
    std::vector<CertificateRef> chain;
  };
  using Versions = std::pair<TlsVersion, TlsVersion>;
  TrustView trust;
  std::optional<crypto::PrivateKey> key;
  std::vector<std::vector<CertificateRef>> chains;    ///< its own first; equally good ones
  std::map<Versions, std::vector<Variant>> variants;  ///< made when a link needs them; none: see problem
  Error problem;                                      ///< why there is no variant
};

/// What a link is tried with besides.
struct Attempt {
  TrialKind kind = TrialKind::none;
  std::string about;
  std::optional<Expectation> expect;
  std::vector<CertificateRef> chain;  ///< its own first; empty: no certificate
  std::optional<crypto::PrivateKey> key;
  std::string problem;  ///< why it cannot be tried
};

std::string label(const Crl& crl) {
  return fmt::format("revocation list of {} from {}", crl.issuer.text(), to_iso8601(crl.this_update));
}

/// Raises what this process may have open as far as it may itself; how many of `links` then find a socket.
unsigned with_files_for(unsigned links) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return links;
  const rlim_t wanted = std::min(files.rlim_max, links + other_files);
  if (files.rlim_cur < wanted) {
    const rlim_t before = std::exchange(files.rlim_cur, wanted);
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = before;
  }
  if (files.rlim_cur >= links + other_files) return links;
  return static_cast<unsigned>(files.rlim_cur > 2 * other_files ? files.rlim_cur - other_files : files.rlim_cur / 2);
}

class Collector {
 public:
  Collector(const Config& config, const Plan& plan, const Options& options);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  Evidence run();

 private:
  /// Reads something on a worker's thread; what it returns runs on the loop's.
  using Job = std::function<std::function<void()>()>;
  void begin_worker(std::vector<Job> jobs);
  Job identity_job(const IdentitySource& source);
  Job store_job(const StoreSource& source, StoreKind kind);
  Job patches_job(const ServerFiles& files);
  Job traces_job();
  void server_files_failed(Needs need, const std::vector<sources::FileFailure>& failed);
  void server_files_arrived(Needs need, const std::string& server);
  void identity_loaded(const IdentitySource& source, LoadResult result);
  void store_read(const StoreSource& source, Result<StoreContents> result);

  void plan_names();
  const std::vector<std::string>* configured_addresses(const Server& server) const;
  const std::vector<std::string>& name_servers() const {
    return options_.name_servers.empty() ? config_.network.name_servers : options_.name_servers;
  }
  Task find_name(std::string name);
  Task look(std::size_t link);
  Task look_at(std::size_t link, std::size_t place, std::string address, const Client* client,
               const Client::Variant* variant);
  Job stranger_job(std::size_t index);
  Task try_on(std::size_t link, std::string address, const Client* client);
  std::vector<Attempt> attempts_on(const Link& link, const Trials& wanted, const Client& client);
  void add_chains(const Client& client, std::vector<Attempt>& attempts);
  boost::asio::awaitable<Handshake> attempt(const Link& link, const std::string& address, const Attempt& what);
  boost::asio::awaitable<TlsOffer> offer_of(const Link& link, const std::string& address, const Client& client);
  struct Work;
  void wait_no_longer_for(Work& work);
  Task keep_pace();
  Task lose_patience();
  Task watch_time();
  Client& client_of(const Server& server, const sources::LoadedIdentity& identity);
  static const std::vector<Client::Variant>& variants_of(Client& client, const TlsRange& versions);
  template <class Child>
  std::optional<SignatureState> verify(const Child& child, const Certificate& issuer);
  SignatureOracle verifying();
  MrasQuestion question_on(const Link& link) const;
  void prove_signatures();

  void fetch_for(const Certificate& certificate);
  void fetch_for_the_rest();
  void take_fetched();
  void finish_fetching();
  void look_for_status();
  void note_relays_not_asked();

  void add_gap(Needs need, std::string about, ErrorKind kind, std::string reason, std::string remedy);
  Error late(const std::string& what) const;
  std::string late_remedy() const;
  void ended(const std::string& what);
  void link_ended(const Link& link);

  const Config& config_;
  const Plan& plan_;
  const Options& options_;
  const Clock::time_point began_;  ///< when it was Options::now
  const Deadline deadline_;
  Evidence evidence_;
  // Gates live in the loop, so it outlives them; what a task that is left waiting destroys with the loop refers to no
  // member of this object.
  Loop loop_;
  bool over_ = false;
  std::shared_ptr<sources::CertificatePool> pool_ = std::make_shared<sources::CertificatePool>();
  crypto::SignatureVerifier verifier_;
  struct Unverified {
    std::string first;  ///< the certificate or revocation list concerned
    std::size_t count = 0;
  };
  std::map<std::string, Unverified> unverified_;  ///< by reason
  std::optional<Clock::time_point> verify_until_;
  std::vector<std::pair<Needs, std::string>> files_due_;  ///< of servers: versions and traces that have not arrived
  std::map<std::string, Awaited> stores_;
  std::map<std::string, AwaitedIdentity> identities_;
  std::map<std::string, AwaitedName> names_;  ///< by lower case
  std::map<std::string, Client> clients_;
  std::map<std::string, Slots> turns_;  ///< by address
  std::map<std::string, Slots> hosts_;  ///< by address: trials wait for each other there, however long they take
  std::vector<std::unique_ptr<AwaitedIdentity>> strangers_;  ///< as Config::strangers
  Slots links_in_flight_;
  Slots at_work_;
  /// One connection of one link that has begun.
  struct Work {
    Clock::time_point since;
    Slots* turn;
    bool over = false;
    bool counts = true;  ///< it has a place of at_work_
  };
  std::deque<std::shared_ptr<Work>> works_;  ///< as they began; what is over is taken out when it comes to the front
  std::size_t works_ended_ = 0;
  Gate links_over_;  ///< what is tried besides does not disturb what is measured
  std::size_t links_open_ = 0;
  Slots names_in_flight_;
  struct Looks {
    std::vector<std::optional<Handshake>> records;  ///< in the order of addresses, then of chains
    std::size_t open = 0;
  };
  std::map<std::size_t, Looks> looks_;  ///< by link
  std::optional<Fetches> fetches_;      ///< there where they are asked for
  Relays relays_;
  std::set<std::pair<std::size_t, std::string>> granted_;  ///< link and address whose credentials the relays were shown
  std::set<std::string> taken_;                            ///< URLs whose contents are in the evidence
  struct Worker {
    std::thread thread;
    std::shared_ptr<std::size_t> missing;  ///< results that have not arrived
  };
  std::vector<Worker> workers_;
  std::size_t all_ = 0;
  std::size_t done_ = 0;
};

Collector::Collector(const Config& config, const Plan& plan, const Options& options)
    : config_(config),
      plan_(plan),
      options_(options),
      began_{Clock::now()},
      deadline_{began_ + config.limits.deadline, options.stop},
      links_in_flight_(loop_, with_files_for(config.limits.parallel)),
      at_work_(loop_, at_work_at_once),
      links_over_(loop_),
      links_open_(plan.links.size()),
      names_in_flight_(loop_, names_at_once),
      relays_(loop_, {&config_, name_servers(), deadline_, [this] { ++all_; },
                      [this](const std::string& relay) { ended(relay); }}) {
  evidence_.collected_at = options.now;
  evidence_.vantage = options.vantage;
  evidence_.site = config.site;
  if (config.fetch || config.ocsp) {
    fetches_.emplace(loop_, Fetches::Setting{&config_, name_servers(), deadline_, pool_, options.now,
                                             [this](Job job) { begin_worker({std::move(job)}); }, [this] { ++all_; },
                                             [this](const std::string& what) { ended(what); }});
  }
}

Collector::~Collector() {
  for (Worker& worker : workers_) {
    if (*worker.missing == 0) {
      worker.thread.join();
    } else {
      worker.thread.detach();  // shares only values with us; what it still sends goes nowhere
    }
  }
}

void Collector::add_gap(Needs need, std::string about, ErrorKind kind, std::string reason, std::string remedy) {
  evidence_.gaps.push_back({need, std::move(about), kind, std::move(reason), std::move(remedy)});
}

/// `what`: "not begun", "not read".
Error Collector::late(const std::string& what) const {
  if (options_.stop.stop_requested()) return {ErrorKind::local, "interrupted"};
  const std::chrono::duration<double> deadline = config_.limits.deadline;
  return {ErrorKind::timed_out, fmt::format("{} before the deadline of {:g} s", what, deadline.count())};
}

std::string Collector::late_remedy() const {
  return options_.stop.stop_requested() ? "Run it again and let it end by itself."
                                        : "Give the run more time (`deadline`) or let more links run at once "
                                          "(`parallel`); what never answers takes "
                                          "longest.";
}

void Collector::ended(const std::string& what) {
  ++done_;
  if (options_.progress) options_.progress(done_, all_, what);
  if (done_ == all_) loop_.leave();
}

void Collector::link_ended(const Link& link) {
  ended(link.id());
  if (--links_open_ == 0) links_over_.open();
}

void Collector::begin_worker(std::vector<Job> jobs) {
  if (jobs.empty()) return;
  auto missing = std::make_shared<std::size_t>(jobs.size());
  const auto work = [jobs = std::move(jobs), home = loop_.courier(), missing] {
    for (const Job& job : jobs) {
      home([missing, arrive = job()] {
        --*missing;
        arrive();
      });
    }
  };
  std::thread thread;
  try {
    thread = std::thread(work);
  } catch (const std::exception&) {
    work();  // no thread to be had: slower, but done
    return;
  }
  workers_.push_back({std::move(thread), missing});
}

Collector::Job Collector::identity_job(const IdentitySource& source) {
  return [this, source, deadline = deadline_, pool = pool_]() -> std::function<void()> {
    if (deadline.over()) {
      return [this, source] { identity_loaded(source, tl::unexpected(IdentityError{late("not read"), {}})); };
    }
    auto result = std::make_shared<LoadResult>();
    try {
      *result = sources::load_identity(source, *pool);
    } catch (const std::exception& cause) {
      *result = tl::unexpected(IdentityError{{ErrorKind::local, printable(cause.what())}, {}});
    }
    return [this, source, result] { identity_loaded(source, std::move(*result)); };
  };
}

void Collector::identity_loaded(const IdentitySource& source, LoadResult result) {
  AwaitedIdentity& awaited = identities_.at(source.server);
  awaited.arrived = true;
  if (result) {
    if (!config_.site.stranger(source.server)) {
      fetch_for(*result->identity.certificate);
      for (const CertificateRef& certificate : result->identity.chain) fetch_for(*certificate);
    }
    evidence_.identities.push_back(result->identity);
    awaited.loaded = std::move(*result);
  } else {
    const Error& error = result.error().error;
    awaited.error = error;
    add_gap(Needs::identities, source.server, error.kind, error.text, identity_remedy(source, result.error()));
  }
  awaited.ready.open();
  ended("identity of " + source.server);
}

Collector::Job Collector::store_job(const StoreSource& source, StoreKind kind) {
  const ldap::NameService names{config_.resolve, config_.family, config_.network.sources};
  return [this, source, kind, names, deadline = deadline_, step = config_.limits.step,
          pool = pool_]() -> std::function<void()> {
    if (deadline.over()) {
      return [this, source] { store_read(source, tl::unexpected(late("not read"))); };
    }
    auto result = std::make_shared<Result<StoreContents>>();
    try {
      *result = source.ldap_uris.empty() ? sources::read_local_store(source, kind, *pool)
                                         : sources::read_directory_store(source, *pool, step, deadline, names);
    } catch (const std::exception& cause) {
      *result = fail(ErrorKind::local, printable(cause.what()));
    }
    return [this, source, result] { store_read(source, std::move(*result)); };
  };
}

void Collector::store_read(const StoreSource& source, Result<StoreContents> result) {
  Awaited& awaited = stores_.at(source.name);
  awaited.arrived = true;
  if (result) {
    evidence_.stores.push_back(std::move(*result));
  } else {
    awaited.error = result.error();
    add_gap(Needs::stores, source.name, result.error().kind, result.error().text, store_remedy(source, result.error()));
  }
  awaited.ready.open();
  ended("store " + source.name);
}

Collector::Job Collector::patches_job(const ServerFiles& files) {
  return [this, files]() -> std::function<void()> {
    auto failed = std::make_shared<std::vector<sources::FileFailure>>();
    auto read = std::make_shared<std::vector<PatchExport>>();
    try {
      *read = sources::read_patches(files, *failed);
    } catch (const std::exception& cause) {
      failed->push_back({files.server, {ErrorKind::local, printable(cause.what())}});
    }
    return [this, files, failed, read] {
      for (PatchExport& patches : *read) evidence_.patches.push_back(std::move(patches));
      server_files_arrived(Needs::versions, files.server);
      server_files_failed(Needs::versions, *failed);
      ended("versions of " + files.server);
    };
  };
}

Collector::Job Collector::traces_job() {
  return [this, files = config_.traces, site = config_.site, deadline = deadline_]() -> std::function<void()> {
    auto failed = std::make_shared<std::vector<sources::FileFailure>>();
    auto traced = std::make_shared<Traced>();
    try {
      *traced = sources::read_traces(files, site, deadline, *failed);
    } catch (const std::exception& cause) {
      for (const ServerFiles& of : files) failed->push_back({of.server, {ErrorKind::local, printable(cause.what())}});
    }
    return [this, failed, traced] {
      evidence_.traced = std::move(*traced);
      for (const ServerFiles& of : config_.traces) server_files_arrived(Needs::traces, of.server);
      server_files_failed(Needs::traces, *failed);
      ended("traces");
    };
  };
}

void Collector::server_files_arrived(Needs need, const std::string& server) {
  std::erase(files_due_, std::pair{need, server});
}

void Collector::server_files_failed(Needs need, const std::vector<sources::FileFailure>& failed) {
  for (const auto& [server, error] : failed)
    add_gap(need, server, error.kind, error.text,
            error.kind == ErrorKind::timed_out ? late_remedy() : server_file_remedy(need, server, error));
}

/// The command line's and the configuration's word on a server's addresses; nothing when a name server is to be asked.
const std::vector<std::string>* Collector::configured_addresses(const Server& server) const {
  for (const auto& [name, addresses] : config_.resolve) {
    if (equals_ignoring_case(name, server.resolved_name())) return &addresses;
  }
  return server.addresses.empty() ? nullptr : &server.addresses;
}

void Collector::plan_names() {
  const auto ask = [this](const std::string& name) {
    if (names_.try_emplace(to_lower(name), loop_).second) {
      ++all_;
      loop_.spawn(find_name(name));
    }
  };
  for (const std::string& name : plan_.names) ask(name);
  std::map<std::string, std::size_t> known;  // places in evidence_.resolutions, by name
  for (const std::size_t index : plan_.links) {
    const Server* to = config_.site.server(config_.site.links[index].to);
    if (to == nullptr) continue;
    const std::vector<std::string>* given = configured_addresses(*to);
    if (given == nullptr) {
      ask(to->resolved_name());
      continue;
    }
    const auto [place, first] = known.try_emplace(to_lower(to->resolved_name()), evidence_.resolutions.size());
    if (first) {
      Resolution& made = evidence_.resolutions.emplace_back();
      made.name = to->resolved_name();
      made.configured = true;
    }
    Resolution& record = evidence_.resolutions[place->second];
    for (std::string& address : transport::literals(*given, config_.family)) {
      if (std::find(record.addresses.begin(), record.addresses.end(), address) == record.addresses.end()) {
        record.addresses.push_back(std::move(address));
      }
    }
    record.error = !record.addresses.empty()              ? ""
                   : config_.family == Config::Family::v4 ? "none of its configured addresses is IPv4"
                   : config_.family == Config::Family::v6 ? "none of its configured addresses is IPv6"
                                                          : "none of its configured addresses is an IP address";
  }
}

Task Collector::find_name(std::string name) {
  co_await names_in_flight_.taken();
  transport::Resolved found;
  found.record.name = name;
  if (over_) {
    found.record.error = late("not asked for").text;
    found.answer = transport::Answer::no_answer;
  } else {
    const transport::NameServers servers{config_.family, name_servers()};
    found = co_await transport::resolve(name, servers, deadline_.within(config_.limits.step));
  }
  names_in_flight_.give_back();

  AwaitedName& awaited = names_.at(to_lower(name));
  awaited.arrived = true;
  awaited.addresses = found.record.addresses;
  if (found.answer == transport::Answer::no_answer || found.answer == transport::Answer::local_failure) {
    const bool ours = found.answer == transport::Answer::local_failure || deadline_.over();
    awaited.error = Error{ours ? ErrorKind::local : ErrorKind::unreachable,
                          fmt::format("{}: {}", printable(name), found.record.error)};
    add_gap(Needs::names, name, awaited.error->kind, awaited.error->text,
            deadline_.over()
                ? late_remedy()
                : fmt::format("Check the name servers {}: host {}; or give the addresses in the configuration.",
                              config_.network.name_servers.empty()
                                  ? "in /etc/resolv.conf of this host"
                                  : "that are configured, " + enumerate(config_.network.name_servers),
                              printable(name)));
  }
  evidence_.resolutions.push_back(std::move(found.record));
  awaited.ready.open();
  ended("name " + name);
}

template <class Child>
std::optional<SignatureState> Collector::verify(const Child& child, const Certificate& issuer) {
  std::string reason;
  if (verify_until_ && Clock::now() >= *verify_until_) {
    reason = late("not verified").text;
  } else {
    const Result<SignatureState> state = verifier_.verify(child, issuer);
    if (state) return *state;
    reason = state.error().text;
  }
  Unverified& seen = unverified_[reason];
  if (seen.count++ == 0) seen.first = label(child);
  return std::nullopt;
}

MrasQuestion Collector::question_on(const Link& link) const {
  MrasQuestion question = config_.site.mras;
  question.profile = config_.site.profile_of(link);
  return question;
}

SignatureOracle Collector::verifying() {
  return [this](const Certificate& child, const Certificate& issuer) { return verify(child, issuer); };
}

/// Needs its identity and its stores to have arrived.
Client& Collector::client_of(const Server& server, const sources::LoadedIdentity& loaded) {
  const auto [place, first] = clients_.try_emplace(server.name);
  Client& client = place->second;
  if (!first) return client;
  client.trust = trust_of(evidence_, server);
  if (!loaded.key) {
    client.problem = {ErrorKind::config,
                      fmt::format("{} has a certificate, but no private key is configured", server.name)};
    return client;
  }
  std::vector<CertificateRef> own{loaded.identity.certificate};
  own.insert(own.end(), loaded.identity.chain.begin(), loaded.identity.chain.end());
  std::vector<std::vector<CertificateRef>> chains{std::move(own)};
  if (server.chain == ChainMode::from_stores) {
    if (!client.trust.missing.empty()) {
      client.problem = {ErrorKind::local, fmt::format("what {} would send is not known: {} could not be read whole",
                                                      server.name, enumerate(client.trust.missing))};
      return client;
    }
    // What could not be read in a store may be what is missing of the chain.
    const bool complete =
        client.trust.damaged.empty() ||
        find_paths(loaded.identity.certificate, {.trust = &client.trust, .sent = {}, .at = options_.now}, verifying())
            .any_valid();
    if (!complete) {
      client.problem = {ErrorKind::local,
                        fmt::format("what {} would send is not known: something in {} could not be read, and without "
                                    "it no chain is complete",
                                    server.name, enumerate(client.trust.damaged))};
      return client;
    }
    chains = windows_chains(loaded.identity.certificate, client.trust, options_.now, verifying());
  }
  client.key = loaded.key;
  client.chains = std::move(chains);
  return client;
}

/// A context goes with one range of versions: those that a link asks for are made for it, and shared by its likes.
const std::vector<Client::Variant>& Collector::variants_of(Client& client, const TlsRange& versions) {
  const auto [place, first] = client.variants.try_emplace({versions.min, versions.max});
  std::vector<Client::Variant>& variants = place->second;
  if (!first) return variants;
  const std::size_t all = client.chains.size();
  for (std::size_t i = 0; i < all; ++i) {
    const std::vector<CertificateRef>& chain = client.chains[i];
    crypto::TlsContext::Options options;
    options.certificate = chain.front();
    options.chain.assign(chain.begin() + 1, chain.end());
    options.key = client.key;
    options.min_version = to_string(versions.min);
    options.max_version = to_string(versions.max);
    auto context = crypto::TlsContext::client(options);
    if (!context) {
      variants.clear();
      client.problem = context.error();
      return variants;
    }
    variants.push_back({all == 1 ? std::string{} : fmt::format("{}/{}", i + 1, all), std::move(*context), chain});
  }
  return variants;
}

Task Collector::look(std::size_t index) {
  const Link& link = config_.site.links[index];
  const Server* from = config_.site.server(link.from);
  const Server* to = config_.site.server(link.to);
  const auto give_up = [&](const Error& error, std::string remedy) {
    add_gap(Needs::handshakes, link.id(), error.kind, error.text, std::move(remedy));
    link_ended(link);
  };
  if (from == nullptr || to == nullptr) {
    give_up({ErrorKind::config, "one of its servers is not configured"}, "Add the server, or leave out the link.");
    co_return;
  }
  const auto identity = identities_.find(from->name);
  if (identity == identities_.end()) {
    give_up({ErrorKind::config, fmt::format("no certificate and key of {} are configured", from->name)},
            fmt::format("Set `certificate` and `key` of {}, or leave out the link.", from->name));
    co_return;
  }

  co_await identity->second.ready.opened();
  std::vector<std::string> needed = from->trusts;
  needed.insert(needed.end(), from->intermediates.begin(), from->intermediates.end());
  for (const std::string& store_name : needed) {
    const auto store = stores_.find(store_name);
    if (store != stores_.end()) co_await store->second.ready.opened();
  }
  std::vector<std::string> addresses;
  AwaitedName* name = nullptr;
  if (const auto* given = configured_addresses(*to)) {
    addresses = transport::literals(*given, config_.family);
  } else {
    name = &names_.at(to_lower(to->resolved_name()));
    co_await name->ready.opened();
    addresses = name->addresses;
  }

  const bool too_late = over_ || deadline_.over();
  if (identity->second.error && !(too_late && *identity->second.error == late("not read"))) {
    give_up(
        {identity->second.error->kind, fmt::format("no identity for {}: {}", from->name, identity->second.error->text)},
        fmt::format("Mend the identity of {} first.", from->name));
    co_return;
  }
  if (name != nullptr && name->error) {
    give_up(*name->error, "Mend the name resolution first, or give the addresses in the configuration.");
    co_return;
  }
  if (too_late) {
    give_up(late("not begun"), late_remedy());
    co_return;
  }
  if (addresses.empty()) {  // the name server's word: the record of the name says it
    link_ended(link);
    co_return;
  }
  Client& client = client_of(*from, *identity->second.loaded);
  const std::vector<Client::Variant>& variants = variants_of(client, link.versions());
  if (variants.empty()) {
    give_up(client.problem, fmt::format("Mend the identity or the stores of {} first.", from->name));
    co_return;
  }
  if (config_.trials_of(index).any()) {
    all_ += addresses.size();
    for (const std::string& address : addresses) loop_.spawn(try_on(index, address, &client));
  }
  Looks& looks = looks_[index];
  looks.open = addresses.size() * variants.size();
  looks.records.resize(looks.open);
  std::size_t place = 0;
  for (const std::string& address : addresses) {
    for (const Client::Variant& variant : variants) loop_.spawn(look_at(index, place++, address, &client, &variant));
  }
}

Task Collector::look_at(std::size_t index, std::size_t place, std::string address, const Client* client,
                        const Client::Variant* variant) {
  const Link& link = config_.site.links[index];
  Slots& turn = turns_.try_emplace(address, loop_, config_.limits.per_host).first->second;
  co_await turn.taken();
  co_await links_in_flight_.taken();
  co_await at_work_.taken();
  const auto work = std::make_shared<Work>(Work{Clock::now(), &turn});
  works_.push_back(work);
  Looks& looks = looks_.at(index);
  if (over_ || deadline_.over()) {
    const Error error = late("not begun");
    add_gap(Needs::handshakes, link.id(), error.kind, fmt::format("{}: {}", address, error.text), late_remedy());
  } else {
    sources::Probe probe{config_.site.server(link.from),
                         config_.site.server(link.to),
                         &link,
                         std::move(address),
                         variant->name,
                         variant->context,
                         variant->chain,
                         &client->trust,
                         question_on(link),
                         config_.limits,
                         options_.now,
                         verifying(),
                         pool_.get(),
                         config_.network.sources,
                         began_};
    std::vector<sources::RelayGrant> grants;
    if (config_.trials_of(index).asks_relay()) probe.grants = &grants;
    Handshake record = co_await sources::probe(std::move(probe), deadline_);
    if (record.outcome == Outcome::local_failure) {
      add_gap(Needs::handshakes, link.id(), ErrorKind::local, fmt::format("{}: {}", record.address, record.detail),
              deadline_.over() ? late_remedy()
                               : "Look at the host that runs this: its limits (open files, memory) and "
                                 "its network.");
    }
    for (const CertificateRef& certificate : record.peer_chain) fetch_for(*certificate);
    // Equally good chains bring equal answers: the relays see the credentials of one.
    if (!grants.empty() && granted_.emplace(index, record.address).second) relays_.want(record, std::move(grants));
    looks.records[place] = std::move(record);
  }
  work->over = true;
  ++works_ended_;
  if (work->counts) at_work_.give_back();
  links_in_flight_.give_back();
  turn.give_back();
  if (--looks.open == 0) link_ended(link);
}

Collector::Job Collector::stranger_job(std::size_t index) {
  return [this, index, source = config_.strangers[index].source, pool = pool_]() -> std::function<void()> {
    auto result = std::make_shared<LoadResult>();
    try {
      *result = sources::load_identity(source, *pool);
      if (*result && !(*result)->key)
        *result = tl::unexpected(IdentityError{{ErrorKind::config, "no private key is configured"}, {}});
    } catch (const std::exception& cause) {
      *result = tl::unexpected(IdentityError{{ErrorKind::local, printable(cause.what())}, {}});
    }
    return [this, index, result] {
      AwaitedIdentity& awaited = *strangers_[index];
      if (*result) {
        awaited.loaded = std::move(**result);
      } else {
        awaited.error = result->error().error;
      }
      awaited.ready.open();
      ended("certificate " + printable(config_.strangers[index].source.certificate));
    };
  };
}

/// A path to a root that the client trusts, with and without that root; and what Windows would choose.
void Collector::add_chains(const Client& client, std::vector<Attempt>& attempts) {
  const std::vector<CertificateRef>& own = client.chains.front();
  const auto add = [&](TrialKind kind, std::string about, std::vector<CertificateRef> chain, std::string problem) {
    attempts.push_back({kind, std::move(about), std::nullopt, std::move(chain), client.key, std::move(problem)});
  };
  add(TrialKind::leaf_only, "", {own.front()}, "");
  const PathSet paths = find_paths(
      own.front(), {.trust = &client.trust, .sent = std::span{own}.subspan(1), .at = options_.now}, verifying());
  const auto valid =
      std::find_if(paths.paths.begin(), paths.paths.end(), [](const Path& path) { return path.valid(); });
  if (valid == paths.paths.end()) {
    const std::string none = "no path from it to a root that its server trusts is known here";
    add(TrialKind::full_chain, "", {}, none);
    add(TrialKind::with_root, "", {}, none);
  } else {
    std::vector<CertificateRef> whole = valid->certificates;
    const bool root = whole.size() > 1 && whole.back()->self_issued();
    std::vector<CertificateRef> rootless(whole.begin(), whole.end() - (root ? 1 : 0));
    add(TrialKind::full_chain, "", std::move(rootless), "");
    if (root) add(TrialKind::with_root, "", std::move(whole), "");
  }
  if (!client.trust.missing.empty() || !client.trust.damaged.empty()) {
    add(TrialKind::from_stores, "", {}, "not all of the stores of its server could be read");
    return;
  }
  auto chains = windows_chains(own.front(), client.trust, options_.now, verifying());
  for (std::size_t i = 0; i < chains.size(); ++i) {
    add(TrialKind::from_stores, chains.size() == 1 ? "" : fmt::format("{}/{}", i + 1, chains.size()),
        std::move(chains[i]), "");
  }
}

std::vector<Attempt> Collector::attempts_on(const Link& link, const Trials& wanted, const Client& client) {
  std::vector<Attempt> attempts;
  const Server* to = config_.site.server(link.to);
  if (wanted.identities) {
    attempts.push_back({TrialKind::none, "", expected(TrialKind::none, to->role), {}, std::nullopt, ""});
    for (std::size_t i = 0; i < config_.strangers.size(); ++i) {
      const StrangerSource& stranger = config_.strangers[i];
      const AwaitedIdentity& awaited = *strangers_[i];
      Attempt& attempt = attempts.emplace_back();
      attempt.kind = stranger.kind;
      attempt.expect = stranger.expect ? stranger.expect : expected(stranger.kind, to->role);
      attempt.about = stranger.source.certificate;
      if (!awaited.loaded) {
        attempt.problem = awaited.error ? awaited.error->text : late("not read").text;
        continue;
      }
      attempt.about = short_name(*awaited.loaded->identity.certificate);
      attempt.key = awaited.loaded->key;
      attempt.chain = {awaited.loaded->identity.certificate};
      attempt.chain.insert(attempt.chain.end(), awaited.loaded->identity.chain.begin(),
                           awaited.loaded->identity.chain.end());
    }
  }
  if (wanted.chains) add_chains(client, attempts);
  return attempts;
}

boost::asio::awaitable<Handshake> Collector::attempt(const Link& link, const std::string& address,
                                                     const Attempt& what) {
  Link bare = link;  // the handshake, and nothing inside it
  bare.service = Service::tls;
  const TrustView nothing;
  crypto::TlsContext::Options options;
  if (!what.chain.empty()) {
    options.certificate = what.chain.front();
    options.chain.assign(what.chain.begin() + 1, what.chain.end());
    options.key = what.key;
  }
  options.min_version = to_string(link.versions().min);
  options.max_version = to_string(link.versions().max);
  const auto context = crypto::TlsContext::client(options);
  Handshake record;
  record.from = link.from;
  record.to = link.to;
  record.address = address;
  record.port = link.port;
  record.detail = !what.problem.empty()       ? what.problem
                  : over_ || deadline_.over() ? late("not begun").text
                  : context                   ? ""
                                              : context.error().text;
  if (!record.detail.empty()) co_return record;
  sources::Probe probe{config_.site.server(link.from),
                       config_.site.server(link.to),
                       &bare,
                       address,
                       "",
                       *context,
                       what.chain,
                       &nothing,
                       question_on(bare),
                       config_.limits,
                       options_.now,
                       verifying(),
                       pool_.get(),
                       config_.network.sources,
                       began_};
  record = co_await sources::probe(std::move(probe), deadline_);
  record.accepted_issuers.clear();  // the link's own record has them
  co_return record;
}

boost::asio::awaitable<TlsOffer> Collector::offer_of(const Link& link, const std::string& address,
                                                     const Client& client) {
  sources::OfferProbe probe;
  probe.from = link.from;
  probe.to = link.to;
  probe.address = address;
  probe.port = link.port;
  probe.server_name = link.server_name.value_or(link.to);
  probe.chain = client.chains.front();
  probe.key = client.key;
  probe.step = config_.limits.step;
  probe.sources = config_.network.sources;
  TlsOffer offer = co_await sources::find_offer(std::move(probe), deadline_);
  co_return offer;
}

/// All that is to be tried on one address, when all links have been looked at: one connection after the other, while
/// nobody else tries something there.
Task Collector::try_on(std::size_t index, std::string address, const Client* client) {
  const Link& link = config_.site.links[index];
  const Trials wanted = config_.trials_of(index);
  co_await links_over_.opened();
  if (wanted.identities) {
    for (const auto& stranger : strangers_) co_await stranger->ready.opened();
  }
  Slots& host = hosts_.try_emplace(address, loop_, 1).first->second;
  co_await host.taken();
  co_await links_in_flight_.taken();
  std::vector<std::pair<std::vector<CertificateRef>, Handshake>> seen;  // equal chains end equally
  const std::vector<Attempt> attempts = attempts_on(link, wanted, *client);
  for (const Attempt& what : attempts) {
    const auto known = std::find_if(seen.begin(), seen.end(), [&](const auto& one) {
      return !tries_identity(what.kind) && what.problem.empty() && one.first == what.chain;
    });
    Handshake record;
    if (known != seen.end()) {
      record = known->second;
    } else {
      record = co_await attempt(link, address, what);
      if (!tries_identity(what.kind)) seen.emplace_back(what.chain, record);
    }
    evidence_.trials.push_back({what.kind, what.about, what.expect, std::move(record)});
  }
  if (wanted.offer) {
    TlsOffer offer = co_await offer_of(link, address, *client);
    evidence_.offers.push_back(std::move(offer));
  }
  links_in_flight_.give_back();
  host.give_back();
  ended(fmt::format("trials of {} at {}", link.id(), address));
}

/// What waits for its peer computes nothing, and keeps nobody from beginning.
void Collector::wait_no_longer_for(Work& work) {
  if (work.over || !work.counts) return;
  work.counts = false;
  at_work_.give_back();
}

/// Lets links begin while others wait, and those that stand in line for a host that does not answer.
Task Collector::keep_pace() {
  std::size_t ended_before = 0;
  std::chrono::milliseconds patience = lull;
  while (links_open_ > 0) {
    co_await transport::pause(deadline_.within(patience));
    if (deadline_.over()) co_return;  // a pause would no longer take time
    const auto impolite = Clock::now() - politeness;
    while (!works_.empty() && (works_.front()->over || works_.front()->since <= impolite)) {
      if (!works_.front()->over) works_.front()->turn->lift();
      wait_no_longer_for(*works_.front());
      works_.pop_front();
    }
    const bool moves = std::exchange(ended_before, works_ended_) != works_ended_;
    patience = moves || !at_work_.anybody_waits() ? lull : std::max(patience / 2, shortest_lull);
    if (moves || !at_work_.anybody_waits()) continue;
    for (const auto& work : works_) wait_no_longer_for(*work);
  }
}

/// A directory that does not answer must not cost the handshakes: from half of the time on, links begin without it.
/// TrustView::missing then says so, and nothing is held against a peer for what might stand there.
Task Collector::lose_patience() {
  co_await transport::pause(deadline_.within(config_.limits.deadline / 2));
  for (auto& [name, store] : stores_) store.ready.open();
}

Task Collector::watch_time() {
  co_await transport::pause(deadline_);
  over_ = true;
  for (auto& [name, store] : stores_) store.ready.open();
  for (auto& [name, identity] : identities_) identity.ready.open();
  links_over_.open();
  for (auto& stranger : strangers_) stranger->ready.open();
  for (auto& [address, turn] : turns_) turn.lift();
  for (auto& [address, host] : hosts_) host.lift();
  links_in_flight_.lift();
  at_work_.lift();
  names_in_flight_.lift();
  if (fetches_) fetches_->hurry();
  relays_.hurry();
  // Looks end by themselves now, each with its record; what reads on a thread has a little longer.
  co_await transport::pause(Deadline{}.within(reading_grace));
  for (const std::size_t i : plan_.identities) {
    const IdentitySource& source = config_.identities[i];
    if (!identities_.at(source.server).arrived) {
      identity_loaded(source, tl::unexpected(IdentityError{late("not read"), {}}));
    }
  }
  for (const std::size_t i : plan_.stores) {
    if (!stores_.at(config_.stores[i].name).arrived) store_read(config_.stores[i], tl::unexpected(late("not read")));
  }
  for (const auto& [need, server] : files_due_) server_files_failed(need, {{server, late("not read")}});
  loop_.leave();
}

/// Judging is pure and looks signatures up: everything it may ask is answered here.
void Collector::prove_signatures() {
  verify_until_ = std::max(deadline_.over() ? Clock::now() : deadline_.at, Clock::now()) + computing_grace;
  // The lists first: what the plan of a clean-up asks for depends on who signed them.
  demand_crl_signatures(evidence_, [this](const Crl& crl, const Certificate& issuer) { verify(crl, issuer); });
  evidence_.signatures = verifier_.proofs();
  demand_signatures(evidence_, verifying());
  evidence_.signatures = verifier_.proofs();
  for (const auto& [reason, seen] : unverified_) {
    const bool was_late = reason == late("not verified").text;
    add_gap(Needs::signatures, seen.first, was_late ? ErrorKind::timed_out : ErrorKind::local,
            seen.count == 1 ? reason : fmt::format("{} ({})", reason, count(seen.count, "signature")),
            was_late
                ? late_remedy()
                : "Look at it with openssl x509 -text or openssl crl -text: its algorithm, or its issuer's key, is "
                  "one that the OpenSSL of this host cannot use.");
  }
}

void Collector::fetch_for(const Certificate& certificate) {
  if (config_.fetch) fetches_->want(certificate);
}

/// What was to be shown to relays, and never came: not a word would be a word too little.
void Collector::note_relays_not_asked() {
  for (const std::size_t i : plan_.links) {
    if (!config_.trials_of(i).asks_relay()) continue;
    const Link& link = config_.site.links[i];
    const auto looks = looks_.find(i);
    std::set<std::string> seen;
    for (std::size_t k = 0; looks != looks_.end() && k < looks->second.records.size(); ++k) {
      const std::optional<Handshake>& record = looks->second.records[k];
      if (record && seen.insert(record->address).second && !granted_.contains({i, record->address}))
        relays_.not_asked(*record, "MRAS granted no credentials there");
    }
    if (!seen.empty()) continue;
    Handshake nobody;
    nobody.from = link.from;
    nobody.to = link.to;
    nobody.port = link.port;
    relays_.not_asked(nobody, "nobody could be asked for credentials");
  }
  evidence_.relays = relays_.take();
}

/// What servers show is fetched for while it comes. Here the CAs on their paths follow, which only all stores together
/// show, and then the issuers that were fetched: with these it ends, for each could name another.
void Collector::fetch_for_the_rest() {
  if (!config_.fetch) return;
  const auto finish = [this] {
    finish_fetching();
    take_fetched();
  };
  for (const PathJudgement& judgement : judge_paths(evidence_, verifying())) {
    if (judgement.subject_is_client && config_.site.stranger(judgement.subject)) continue;
    for (const Path& path : judgement.result.paths.paths) {
      for (const CertificateRef& certificate : path.certificates) fetch_for(*certificate);
    }
  }
  finish();
  std::vector<CertificateRef> issuers;
  for (const StoreContents& contents : evidence_.stores) {
    if (!is_fetched(contents.store)) continue;
    for (const StoreEntry& entry : contents.entries) issuers.push_back(entry.certificate);
  }
  for (const CertificateRef& issuer : issuers) fetch_for(*issuer);
  finish();

  for (const auto& [url, end] : fetches_->ends()) {
    if (!end) {
      const Error error = late("not fetched");
      add_gap(Needs::stores, url, error.kind, error.text, late_remedy());
    } else if (!*end) {
      add_gap(Needs::stores, url, end->error().error.kind, end->error().error.text, end->error().remedy);
    }
  }
  const std::vector<std::string>& left_out = fetches_->left_out();
  if (left_out.empty()) return;
  const std::string others = left_out.size() == 1 ? "" : fmt::format(", nor {} more", left_out.size() - 1);
  add_gap(Needs::stores, left_out.front(), ErrorKind::rejected_by_us,
          fmt::format("not fetched{}: one run fetches {} URLs at most", others, Fetches::most_urls),
          "Split the site into several configurations, each with some of its servers.");
}

void Collector::finish_fetching() {
  if (done_ < all_ && !over_) loop_.run_until(Clock::time_point::max());
}

/// What was stapled is read, and responders are asked, when all that could be an issuer is known.
void Collector::look_for_status() {
  const bool any_staple = std::any_of(evidence_.handshakes.begin(), evidence_.handshakes.end(),
                                      [](const Handshake& handshake) { return !handshake.ocsp_staple.empty(); });
  if (!config_.ocsp && !any_staple) return;
  const CertificateGraph graph{evidence_};
  for (const Handshake& handshake : evidence_.handshakes) {
    if (handshake.ocsp_staple.empty() || handshake.peer_chain.empty()) continue;
    OcspLook& look = evidence_.ocsp.emplace_back();
    look.certificate = handshake.peer_chain.front();
    look.source = handshake.id();
    look.stapled = true;
    const std::vector<CertificateRef> issuers = issuers_of(*look.certificate, graph, verifying());
    auto answer = crypto::read_ocsp_response(handshake.ocsp_staple, *look.certificate, issuers, options_.now);
    if (answer) {
      look.answer = std::move(*answer);
      continue;
    }
    look.problem = issuers.empty() ? "who issued the certificate is not known here, and so not what it was held against"
                                   : answer.error().text;
    look.remedy = issuers.empty() ? "Add the certificate of the CA that issued it to a store that is read."
                                  : fmt::format("On {}, see what it staples: openssl s_client -connect {} -status.",
                                                handshake.to, handshake.endpoint());
  }
  if (!config_.ocsp) return;
  for (const auto& [sha256, use] : certificates_in_use(evidence_, verifying())) {
    if (use.certificate->self_issued()) continue;
    std::vector<CertificateRef> issuers = issuers_of(*use.certificate, graph, verifying());
    if (!issuers.empty()) {
      fetches_->ask_status(use.certificate, std::move(issuers));
    } else if (!use.certificate->ocsp_urls.empty()) {
      OcspLook& look = evidence_.ocsp.emplace_back();
      look.certificate = use.certificate;
      look.source = use.certificate->ocsp_urls.all().front();
      look.asked = false;
      look.problem = "who issued the certificate is not known here, and it is asked for by its issuer's key";
      look.remedy = "Add the certificate of the CA that issued it to a store that is read.";
    }
  }
  finish_fetching();
  for (OcspLook& look : fetches_->take_looks()) evidence_.ocsp.push_back(std::move(look));
  const bool too_many = fetches_->too_many_questions();
  for (const CertificateRef& certificate : fetches_->not_asked()) {
    OcspLook& look = evidence_.ocsp.emplace_back();
    look.certificate = certificate;
    look.source = certificate->ocsp_urls.all().front();
    look.asked = false;
    look.problem = too_many && !deadline_.over()
                       ? fmt::format("one run asks about {} certificates at most", Fetches::most_questions)
                       : late("not asked").text;
    look.remedy =
        too_many ? "Split the site into several configurations, each with some of its servers." : late_remedy();
  }
}

void Collector::take_fetched() {
  for (const auto& [url, end] : fetches_->ends()) {
    if (end && *end && taken_.insert(url).second) evidence_.stores.push_back(**end);
  }
}

Evidence Collector::run() {
  constexpr std::size_t many_links = 24;
  if (plan_.links.size() >= many_links) crypto::expect_many_handshakes();
  std::vector<Job> identities;
  for (const std::size_t i : plan_.identities) {
    identities_.try_emplace(config_.identities[i].server, loop_);
    identities.push_back(identity_job(config_.identities[i]));
  }
  std::vector<Job> files;
  std::vector<Job> directories;
  for (const std::size_t i : plan_.stores) {
    const StoreSource& source = config_.stores[i];
    stores_.try_emplace(source.name, loop_);
    (source.ldap_uris.empty() ? files : directories).push_back(store_job(source, config_.site.stores[i].kind));
  }
  for (const ServerFiles& of : config_.patches) {
    files.push_back(patches_job(of));
    files_due_.emplace_back(Needs::versions, of.server);
  }
  for (const ServerFiles& of : config_.traces) {
    const std::pair due{Needs::traces, of.server};
    if (std::find(files_due_.begin(), files_due_.end(), due) == files_due_.end()) files_due_.push_back(due);
  }
  std::vector<Job> traces;
  if (!config_.traces.empty()) traces.push_back(traces_job());
  std::vector<Job> strangers;
  const bool any_trial = std::any_of(plan_.links.begin(), plan_.links.end(),
                                     [this](std::size_t i) { return config_.trials_of(i).identities; });
  for (std::size_t i = 0; any_trial && i < config_.strangers.size(); ++i) {
    strangers_.push_back(std::make_unique<AwaitedIdentity>(loop_));
    strangers.push_back(stranger_job(i));
  }
  all_ = identities.size() + strangers.size() + files.size() + directories.size() + traces.size() + plan_.links.size();
  plan_names();
  for (const std::size_t i : plan_.links) loop_.spawn(look(i));
  begin_worker(std::move(identities));
  begin_worker(std::move(strangers));
  begin_worker(std::move(files));
  begin_worker(std::move(traces));
  for (Job& job : directories) begin_worker({std::move(job)});
  if (!plan_.links.empty()) loop_.spawn(keep_pace());
  loop_.spawn(lose_patience());
  loop_.spawn(watch_time());
  if (all_ > 0) loop_.run_until(Clock::time_point::max());

  note_relays_not_asked();
  for (const std::size_t i : plan_.links) {
    const auto looks = looks_.find(i);
    if (looks == looks_.end()) continue;
    for (std::optional<Handshake>& record : looks->second.records) {
      if (record) evidence_.handshakes.push_back(std::move(*record));
    }
  }
  fetch_for_the_rest();
  look_for_status();
  prove_signatures();
  normalise(evidence_);
  return std::move(evidence_);
}

}  // namespace

Evidence collect(const Config& config, const Plan& plan, const Options& options) {
  return Collector(config, plan, options).run();
}

}  // namespace mrascheck::run
