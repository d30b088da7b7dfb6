// SPDX-License-Identifier: Apache-2.0
#include "support/openssl_cli.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>

namespace mrascheck::test {

namespace {

struct ClosePipe {
  void operator()(FILE* pipe) const noexcept { ::pclose(pipe); }
};

}  // namespace

std::string OpensslCli::shell(const std::string& command) const {
  const std::string line = fmt::format("cd '{}' && {{ {} ; }} 2>&1 </dev/null", dir_.path().string(), command);
  std::unique_ptr<FILE, ClosePipe> pipe{::popen(line.c_str(), "re")};
  if (!pipe) {
    ADD_FAILURE() << "cannot run " << command;
    return {};
  }
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    output.append(buffer.data(), got);
  const int status = ::pclose(pipe.release());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << "\n" << output;
  return output;
}

static std::string config(const std::string& extensions) {
  return "[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n" + extensions;
}

void OpensslCli::self_signed(const std::string& name, const std::string& subject, const std::string& extensions,
                             const std::string& key, const std::string& more) const {
  // A configuration of its own may come with `extensions`, beginning with its own [req].
  dir_.write(name + ".cnf", extensions.starts_with("[req]") ? extensions : config(extensions));
  shell(
      fmt::format("openssl req -x509 -new -newkey {} -noenc -keyout {}.key -out {}.crt -subj '{}' -config {}.cnf -days "
                  "3650 {}",
                  key, name, name, subject, name, more));
}

void OpensslCli::issued(const std::string& name, const std::string& subject, const std::string& issuer,
                        const std::string& extensions, const std::string& key, const std::string& more) const {
  dir_.write(name + ".cnf", config(extensions));
  shell(fmt::format("openssl req -new -newkey {} -noenc -keyout {}.key -out {}.csr -subj '{}' -config {}.cnf", key,
                    name, name, subject, name));
  shell(
      fmt::format("openssl x509 -req -in {}.csr -CA {}.crt -CAkey {}.key -out {}.crt -days 825 -extfile {}.cnf "
                  "-extensions ext {}",
                  name, issuer, issuer, name, name, more));
}

ByteString OpensslCli::der(const std::string& name) const {
  shell(fmt::format("openssl x509 -in {}.crt -outform DER -out {}.der", name, name));
  const std::string content = dir_.read(name + ".der");
  const Bytes bytes = as_bytes(content);
  return {bytes.begin(), bytes.end()};
}

}  // namespace mrascheck::test
