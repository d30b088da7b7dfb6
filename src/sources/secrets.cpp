// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "core/text.hpp"
#include "sources/descriptor.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

static constexpr std::size_t max_secret = std::size_t{64} * 1024;
static constexpr std::chrono::seconds longest_wait{5};  ///< for somebody to write into a pipe

/// Makes the secret of `bytes` and leaves nothing of it in them.
static Secret take_secret(ByteString& bytes, std::size_t size) {
  std::string_view text = as_text(Bytes{bytes}.first(size));
  const bool newline = text.ends_with('\n');
  if (newline) text.remove_suffix(1);
  if (newline && text.ends_with('\r')) text.remove_suffix(1);
  Secret secret{std::string{text}};
  explicit_bzero(bytes.data(), bytes.size());
  return secret;
}

static Result<Secret> read_secret_file(const std::string& path) {
  Result<ByteString> content = read_file(path, max_secret);
  if (!content) return fail(ErrorKind::config, "file:" + content.error().text);
  return take_secret(*content, content->size());
}

static Result<Secret> read_secret_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // nobody sets variables in this program
  if (value == nullptr)
    return fail(ErrorKind::config, fmt::format("env:{}: no such environment variable", printable(name)));
  return Secret{std::string{value}};
}

/// What a pipe held, which gives it once: a passphrase is asked for when the configuration is looked at, and again when
/// the run begins. By descriptor and inode, since a number may be given to another file.
class PipeSecrets {
 public:
  using Key = std::tuple<int, dev_t, ino_t>;

  std::optional<Secret> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(key);
    if (known == known_.end()) return std::nullopt;
    return Secret{std::string{known->second.reveal()}};
  }
  void keep(const Key& key, const Secret& secret) {
    const std::lock_guard lock(mutex_);
    known_.emplace(key, Secret{std::string{secret.reveal()}});
  }

 private:
  std::mutex mutex_;
  std::map<Key, Secret> known_;
};

static Result<Secret> read_secret_descriptor(const std::string& number) {
  const std::string name = "fd:" + printable(number);
  int descriptor = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), descriptor);
  if (error != std::errc{} || end != number.data() + number.size() || descriptor < 0) {
    return fail(ErrorKind::config, name + ": not the number of a file descriptor");
  }
  if (::isatty(descriptor) == 1) return fail(ErrorKind::config, name + ": a terminal, and nothing is asked for there");
  static PipeSecrets pipes;
  struct stat status {};
  const bool pipe = ::fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode);
  const PipeSecrets::Key key{descriptor, status.st_dev, status.st_ino};
  if (pipe) {
    if (auto known = pipes.find(key)) return *std::move(known);
  }
  ::lseek(descriptor, 0, SEEK_SET);  // fails on a pipe, which has no beginning to go back to
  const auto until = std::chrono::steady_clock::now() + longest_wait;
  ByteString content(max_secret + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd ready{descriptor, POLLIN, 0};
    if (pipe && ::poll(&ready, 1, std::max(0, static_cast<int>(left.count()))) == 0) {
      explicit_bzero(content.data(), content.size());
      return fail(ErrorKind::config, fmt::format("{}: nothing came within {} s", name, longest_wait.count()));
    }
    const Result<std::size_t> got = read_some(descriptor, content.data() + size, content.size() - size);
    if (!got) {
      explicit_bzero(content.data(), content.size());
      return fail(ErrorKind::config, fmt::format("{}: {}", name, got.error().text));
    }
    if (*got == 0) break;
    size += *got;
  }
  if (size > max_secret) {
    explicit_bzero(content.data(), content.size());
    return fail(ErrorKind::config, fmt::format("{}: larger than {} bytes", name, max_secret));
  }
  Secret secret = take_secret(content, size);
  if (pipe && !secret.empty()) pipes.keep(key, secret);
  return secret;
}

Result<Secret> read_secret(const SecretSource& source) {
  Result<Secret> secret = fail(ErrorKind::bug, "unknown secret source");
  std::string_view kind;
  switch (source.kind) {
    case SecretSource::Kind::file:
      secret = read_secret_file(source.value);
      kind = "file";
      break;
    case SecretSource::Kind::env:
      secret = read_secret_variable(source.value);
      kind = "env";
      break;
    case SecretSource::Kind::fd:
      secret = read_secret_descriptor(source.value);
      kind = "fd";
      break;
  }
  // An empty password would silently make an LDAP bind an anonymous one (RFC 4513, 5.1.2).
  if (secret && secret->empty())
    return fail(ErrorKind::config, fmt::format("{}:{}: empty", kind, printable(source.value)));
  return secret;
}

}  // namespace mrascheck::sources
