// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/evidence.hpp"
#include "run/slots.hpp"
#include "sources/fetch.hpp"
#include "transport/loop.hpp"

namespace mrascheck::run {

/// Fetches what certificates say by http, or by ldap with a host, of their issuers (AIA) and revocation lists (CDP),
/// each URL once, and asks the OCSP responders that they name. On the loop's thread, which must not outlive it while
/// something runs.
class Fetches {
 public:
  static constexpr std::size_t most_urls = 64;
  static constexpr std::size_t most_questions = 1'000;
  static constexpr unsigned most_at_once = 16;
  /// What is kept of all together: a certificate that some peer shows may name what it likes.
  static constexpr std::size_t most_bytes = std::size_t{64} * 1024 * 1024;

  struct Setting {
    const Config* config = nullptr;
    std::vector<std::string> name_servers;
    Deadline deadline;
    std::shared_ptr<sources::CertificatePool> pool;
    UtcTime now;
    /// Runs what waits on a thread of its own, and what that returns on the loop's.
    std::function<void(std::function<std::function<void()>()>)> on_thread;
    std::function<void()> began;                        ///< with each URL that is to be fetched
    std::function<void(const std::string& url)> ended;  ///< as often
  };
  Fetches(transport::Loop& loop, Setting setting);

  /// Begins with those URLs of `certificate` that nobody wanted before; past most_urls they are only remembered.
  void want(const Certificate& certificate);
  /// Asks the responders that `certificate` names, in their order until one answers; past most_questions they are only
  /// remembered. Each certificate once. `issuers` have the key that signed it.
  void ask_status(const CertificateRef& certificate, std::vector<CertificateRef> issuers);
  /// At the end of all time: what waits for its turn need not wait.
  void hurry();

  /// How one URL ended; nothing where it has not.
  using End = std::optional<sources::Fetched<StoreContents>>;
  const std::map<std::string, End>& ends() const { return ends_; }
  /// Beyond most_urls, in order.
  const std::vector<std::string>& left_out() const { return left_out_; }

  /// What came of the questions, in no particular order.
  std::vector<OcspLook> take_looks() { return std::move(looks_); }
  /// Certificates whose responders were not asked: for want of time, or beyond most_questions.
  const std::vector<CertificateRef>& not_asked() const { return not_asked_; }
  bool too_many_questions() const { return asked_.size() > most_questions; }

 private:
  struct Host {
    explicit Host(transport::Loop& loop) : ready(loop) {}
    transport::Gate ready;
    sources::Fetched<std::vector<std::string>> addresses;
  };
  using Addresses = sources::Fetched<std::vector<std::string>>;
  boost::asio::awaitable<void> run(std::string url);
  boost::asio::awaitable<sources::Fetched<StoreContents>> read_entry(std::string url);
  boost::asio::awaitable<void> ask(CertificateRef certificate, std::vector<CertificateRef> issuers);
  boost::asio::awaitable<void> ask_one(OcspLook& look, const std::vector<CertificateRef>& issuers);
  sources::Fetch fetch_of(std::string url);
  boost::asio::awaitable<Addresses> addresses_of(std::string host);
  const std::vector<std::string>* configured_addresses(const std::string& host) const;
  void keep(End& end, sources::Fetched<StoreContents> came);

  transport::Loop& loop_;
  Setting setting_;
  Slots at_once_;
  std::map<std::string, End> ends_;
  std::vector<std::string> left_out_;
  std::map<std::string, Host> hosts_;  ///< by lower case
  std::size_t bytes_ = 0;
  struct Entry {
    explicit Entry(transport::Loop& loop) : ready(loop) {}
    transport::Gate ready;
    Result<StoreContents> contents;
  };
  std::map<std::string, Entry> entries_;  ///< of directories, by URL
  std::set<Sha256> asked_;
  std::map<std::string, sources::FetchFailure> silent_;  ///< responders that nothing came from, by URL
  std::vector<OcspLook> looks_;
  std::vector<CertificateRef> not_asked_;
};

}  // namespace mrascheck::run
