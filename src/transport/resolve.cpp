// SPDX-License-Identifier: Apache-2.0
#include "transport/resolve.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <utility>

#include "core/text.hpp"
#include "transport/alarm.hpp"

namespace mrascheck::transport {

constexpr int first_try_ms = 2000;  // a lost datagram must not cost half of the step, as resolv.conf's 5 s would
constexpr int tries = 4;
constexpr int pending = -1;

namespace {

bool is_no(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

bool wanted(const asio::ip::address& address, Config::Family family) {
  return family == Config::Family::any || address.is_v6() == (family == Config::Family::v6);
}

void add_once(std::vector<std::string>& addresses, std::string address) {
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
    addresses.push_back(std::move(address));
}

/// One c-ares channel for one name, so that giving up on it disturbs no other. Lives on the loop's thread.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  struct Question {
    int family = AF_UNSPEC;
    int status = pending;
    std::vector<std::string> addresses;
  };

  explicit Lookup(asio::any_io_executor executor)
      : executor_(std::move(executor)), retry_(executor_), done_(executor_, asio::steady_timer::time_point::max()) {}
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() {
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  /// `sources` in c-ares' letters: "f" for the hosts file, "b" for name servers. `flags`: ARES_FLAG_*.
  int open(const char* sources, int flags, const std::vector<std::string>& servers) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) return library;
    std::string lookups = sources;
    ares_options options{};
    options.flags = flags;
    options.timeout = first_try_ms;
    options.tries = tries;
    options.lookups = lookups.data();
    options.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
      static_cast<Lookup*>(self)->watch(socket, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    const int status = ares_init_options(
        &channel_, &options,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
      channel_ = nullptr;
      return status;
    }
    if (servers.empty()) return ARES_SUCCESS;
    return ares_set_servers_ports_csv(channel_, fmt::format("{}", fmt::join(servers, ",")).c_str());
  }

  void ask(const std::string& name, const std::vector<int>& families) {
    for (const int family : families) questions_.push_back({.family = family, .status = pending, .addresses = {}});
    for (Question& question : questions_) {
      ares_addrinfo_hints hints{};
      hints.ai_flags = ARES_AI_NOSORT;
      hints.ai_family = question.family;
      hints.ai_socktype = SOCK_STREAM;
      ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Lookup::answered, &question);
    }
    schedule();
  }

  bool complete() const {
    return std::none_of(questions_.begin(), questions_.end(), [](const Question& q) { return q.status == pending; });
  }

  /// Returns when every question is answered, or `step` is over: what is open then is as timed out.
  asio::awaitable<void> finished(Deadline step) {
    const auto alive = shared_from_this();
    {
      const Alarm alarm(executor_, step, [this] { done_.cancel(); });
      while (!complete() && !alarm.rang()) co_await done_.async_wait(waiting);
    }
    over_ = true;
    retry_.cancel();
    if (!complete()) ares_cancel(channel_);
  }

  std::vector<Question>& questions() { return questions_; }

 private:
  struct Watched {
    Watched(const asio::any_io_executor& executor, ares_socket_t socket) : descriptor(executor, socket), fd(socket) {}
    asio::posix::stream_descriptor descriptor;
    ares_socket_t fd;
    bool want_read = false, want_write = false;
    bool reading = false, writing = false;
    bool gone = false;
  };

  static void answered(void* data, int status, int /*timeouts*/, ares_addrinfo* result) {
    auto& question = *static_cast<Question*>(data);
    question.status = status == ARES_ECANCELLED || status == ARES_EDESTRUCTION ? ARES_ETIMEOUT : status;
    const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owner(result, ares_freeaddrinfo);
    if (status != ARES_SUCCESS || result == nullptr) return;
    for (const ares_addrinfo_node* node = result->nodes; node != nullptr; node = node->ai_next) {
      char text[INET6_ADDRSTRLEN] = {};
      const void* bytes = nullptr;
      if (node->ai_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr;
      if (node->ai_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr;
      if (bytes == nullptr || inet_ntop(node->ai_family, bytes, text, sizeof text) == nullptr) continue;
      add_once(question.addresses, text);
    }
    if (question.addresses.empty()) question.status = ARES_ENODATA;
  }

  void watch(ares_socket_t fd, bool readable, bool writable) {
    auto& watched = watched_[fd];
    if (!readable && !writable) {
      if (watched) {
        watched->gone = true;
        watched->descriptor.release();  // c-ares closes it
      }
      watched_.erase(fd);
      return;
    }
    if (!watched) watched = std::make_shared<Watched>(executor_, fd);
    watched->want_read = readable;
    watched->want_write = writable;
    arm(watched);
  }

  void arm(const std::shared_ptr<Watched>& watched) {
    const std::weak_ptr<Lookup> weak = weak_from_this();
    if (watched->want_read && !watched->reading) {
      watched->reading = true;
      watched->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                     [weak, watched](const boost::system::error_code& failed) {
                                       watched->reading = false;
                                       const auto self = weak.lock();
                                       if (self && !failed && !watched->gone) self->process(watched, true);
                                     });
    }
    if (watched->want_write && !watched->writing) {
      watched->writing = true;
      watched->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                     [weak, watched](const boost::system::error_code& failed) {
                                       watched->writing = false;
                                       const auto self = weak.lock();
                                       if (self && !failed && !watched->gone) self->process(watched, false);
                                     });
    }
  }

  void process(const std::shared_ptr<Watched>& watched, bool read) {
    ares_process_fd(channel_, read ? watched->fd : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : watched->fd);
    if (!watched->gone) arm(watched);
    schedule();
  }

  void schedule() {
    if (over_) return;
    if (complete()) {
      done_.cancel();
      return;
    }
    timeval buffer{};
    const timeval* wait = ares_timeout(channel_, nullptr, &buffer);
    if (wait == nullptr) return;
    // c-ares counts in milliseconds: waking up early within one would spin.
    retry_.expires_after(std::chrono::seconds(wait->tv_sec) + std::chrono::microseconds(wait->tv_usec) +
                         std::chrono::milliseconds(1));
    retry_.async_wait([weak = weak_from_this()](const boost::system::error_code& failed) {
      const auto self = weak.lock();
      if (!self || failed || self->over_) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->schedule();
    });
  }

  asio::any_io_executor executor_;
  asio::steady_timer retry_;
  asio::steady_timer done_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watched>> watched_;
  std::vector<Question> questions_;  // c-ares holds pointers into it: filled before the first is asked
  bool over_ = false;
};

Answer answer_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return Answer::found;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      return Answer::not_found;
    case ARES_ESERVFAIL:
    case ARES_EFORMERR:
    case ARES_ENOTIMP:
    case ARES_EREFUSED:
    case ARES_EBADRESP:
      return Answer::server_failure;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
      return Answer::no_answer;
    default:
      return Answer::local_failure;
  }
}

std::string words(int status, const Deadline& step) {
  if (status == ARES_ETIMEOUT && step.stop.stop_requested()) return "interrupted";
  return ares_strerror(status);
}

/// Of both questions' failures the one that says more: what could not be asked may still exist.
int worse(int a, int b) {
  if (is_no(a) && is_no(b)) return a == ARES_ENODATA || b == ARES_ENODATA ? ARES_ENODATA : ARES_ENOTFOUND;
  return is_no(a) ? b : a;
}

}  // namespace

std::vector<std::string> literals(const std::vector<std::string>& addresses, Config::Family family) {
  std::vector<std::string> chosen;
  for (const std::string& text : addresses) {
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(text, failed);
    if (!failed && wanted(address, family)) add_once(chosen, address.to_string());
  }
  return chosen;
}

asio::awaitable<Resolved> resolve(std::string name, NameServers servers, Deadline step) {
  const auto executor = co_await asio::this_coro::executor;
  Resolved resolved;
  resolved.record.name = name;
  boost::system::error_code no_literal;
  const auto literal = asio::ip::make_address(name, no_literal);
  if (!no_literal) {
    resolved.record.configured = true;
    if (wanted(literal, servers.family)) {
      resolved.record.addresses = {literal.to_string()};
      resolved.answer = Answer::found;
    } else {
      resolved.record.error = literal.is_v6() ? "an IPv6 address, and only IPv4 is asked for"
                                              : "an IPv4 address, and only IPv6 is asked for";
      resolved.answer = Answer::not_found;
    }
    co_return resolved;
  }

  const int family = servers.family == Config::Family::v4   ? AF_INET
                     : servers.family == Config::Family::v6 ? AF_INET6
                                                            : AF_UNSPEC;
  const int flags = name.find('.') == std::string::npos ? 0 : ARES_FLAG_NOSEARCH;
  const auto hosts = std::make_shared<Lookup>(executor);
  int opened = hosts->open("f", flags, {});
  if (opened == ARES_SUCCESS) {
    hosts->ask(name, {family});
    co_await hosts->finished(step);
    const Lookup::Question& question = hosts->questions().front();
    if (question.status == ARES_SUCCESS) {
      resolved.record.addresses = question.addresses;
      resolved.answer = Answer::found;
      co_return resolved;
    }
  }

  const auto dns = std::make_shared<Lookup>(executor);
  if (opened == ARES_SUCCESS) opened = dns->open("b", flags, servers.servers);
  if (opened != ARES_SUCCESS) {
    resolved.record.error = ares_strerror(opened);
    co_return resolved;
  }
  std::vector<int> families{family};
  if (family == AF_UNSPEC) families = {AF_INET, AF_INET6};
  dns->ask(name, families);
  co_await dns->finished(step);

  // When every server answers SERVFAIL or REFUSED, c-ares says that none could be contacted. The first one's word is
  // truer.
  families.clear();
  for (const Lookup::Question& question : dns->questions()) {
    if (question.status == ARES_ECONNREFUSED) families.push_back(question.family);
  }
  const auto again = std::make_shared<Lookup>(executor);
  if (!families.empty() && again->open("b", flags | ARES_FLAG_NOCHECKRESP, servers.servers) == ARES_SUCCESS) {
    again->ask(name, families);
    co_await again->finished(step);
    for (Lookup::Question& question : dns->questions()) {
      for (const Lookup::Question& second : again->questions()) {
        if (second.family == question.family && second.status != ARES_ETIMEOUT) question = second;
      }
    }
  }

  int status = ARES_ENOTFOUND;
  bool first = true;
  for (const Lookup::Question& question : dns->questions()) {
    for (const std::string& address : question.addresses) add_once(resolved.record.addresses, address);
    if (question.status == ARES_SUCCESS) continue;
    status = first ? question.status : worse(status, question.status);
    first = false;
  }
  if (resolved.record.addresses.empty()) {
    resolved.answer = answer_of(status);
    resolved.record.not_found = resolved.answer == Answer::not_found;
    resolved.record.error = words(status, step);
    co_return resolved;
  }
  resolved.answer = Answer::found;
  for (const Lookup::Question& question : dns->questions()) {
    if (question.status == ARES_SUCCESS || is_no(question.status)) continue;
    resolved.record.error =
        fmt::format("{} addresses: {}", question.family == AF_INET6 ? "IPv6" : "IPv4", words(question.status, step));
  }
  co_return resolved;
}

}  // namespace mrascheck::transport
