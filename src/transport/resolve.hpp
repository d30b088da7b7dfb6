// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/deadline.hpp"
#include "core/evidence.hpp"

namespace mrascheck::transport {

namespace asio = boost::asio;

/// How asking for a name ended.
enum class Answer {
  found,           ///< at least one address
  not_found,       ///< the name server says that there is no such name, or no address for it
  server_failure,  ///< the name server answered that it cannot say: SERVFAIL, REFUSED, or something garbled
  no_answer,       ///< no name server could be asked: silence, nothing listens, none is configured
  local_failure,   ///< our own means failed; also a name that is none
};

struct Resolved {
  Resolution record;
  Answer answer = Answer::local_failure;
};

struct NameServers {
  Config::Family family = Config::Family::any;
  std::vector<std::string> servers;  ///< "127.0.0.1:5353"; empty: those of resolv.conf
};

/// Every A and AAAA of `name`. /etc/hosts comes first and settles it, as on any Unix; then both questions are asked at
/// once, and one that fails does not hide what the other found: Resolution::error then says what is missing. A name
/// with a dot in it is taken for complete (no search list). Address literals answer for themselves.
asio::awaitable<Resolved> resolve(std::string name, NameServers servers, Deadline step);

/// Of address literals, those of `family`, in one spelling ("2001:db8::1"), each once. Others are left out.
std::vector<std::string> literals(const std::vector<std::string>& addresses, Config::Family family);

}  // namespace mrascheck::transport
