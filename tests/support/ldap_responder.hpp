// SPDX-License-Identifier: Apache-2.0
// An LDAP server that says what a test wants it to say: what no slapd can be brought to. It knows just enough BER.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mrascheck::test {

class LdapResponder {
 public:
  struct Request {
    int id = 0;
    unsigned char operation = 0;  ///< 0x60 bind, 0x63 search, 0x77 extended
    std::string base;             ///< of a search
    std::vector<std::string> attributes;
    bool paged = false;  ///< with any control
  };
  /// What to send; nothing is silence. A true `close` ends the connection afterwards.
  struct Reply {
    std::string bytes;
    bool close = false;
  };
  using Script = std::function<Reply(const Request&)>;
  using Attribute = std::pair<std::string, std::vector<std::string>>;

  enum class Listen { tcp, local };

  /// Listens on a free port of 127.0.0.1, or on a socket in a temporary directory. `script` is called on a thread of
  /// the responder's.
  explicit LdapResponder(Script script, Listen listen = Listen::tcp);
  LdapResponder(LdapResponder&&) = delete;
  ~LdapResponder();

  const std::string& uri() const { return uri_; }
  /// Connections and requests seen until now.
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  /// The last connection's IPv4 address, in host order.
  std::uint32_t peer() const { return peer_; }

  /// The LDAP messages of a server (RFC 4511), complete with their length.
  static std::string entry(int id, const std::string& dn, const std::vector<Attribute>& attributes);
  static std::string reference(int id, const std::string& uri);
  /// `cookie`: of paged results; none when null.
  static std::string search_done(int id, int code = 0, const std::string& diagnostic = "",
                                 const char* cookie = nullptr);
  static std::string referral_done(int id, const std::string& uri);
  static std::string bind_done(int id, int code, const std::string& diagnostic);
  static std::string extended_done(int id, int code, const std::string& diagnostic);

 private:
  void serve();
  void converse(int fd);

  Script script_;
  int listener_ = -1;
  int wake_ = -1;
  std::string uri_;
  std::string directory_;  ///< of the local socket
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<std::uint32_t> peer_ = 0;
  std::thread thread_;
};

}  // namespace mrascheck::test
