// SPDX-License-Identifier: Apache-2.0
// What servers say of themselves in files: what is installed on them, and their traces.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <span>

#include "core/text.hpp"
#include "sources/descriptor.hpp"
#include "sources/sources.hpp"
#include "stores/patches.hpp"
#include "trace/reader.hpp"

namespace mrascheck::sources {

std::vector<PatchExport> read_patches(const ServerFiles& files, std::vector<FileFailure>& failed) {
  constexpr std::size_t largest = std::size_t{64} * 1024 * 1024;
  std::vector<PatchExport> read;
  for (const std::string& path : files.paths) {
    const auto refuse = [&](ErrorKind kind, std::string why) {
      failed.push_back({files.server, {kind, std::move(why)}});
    };
    const Result<ByteString> content = read_file(path, largest);
    if (!content) {
      refuse(content.error().kind, content.error().text);
      continue;
    }
    stores::InstalledList list = stores::read_installed(*content);
    const std::string place = printable(path, 1024);
    PatchExport patches{files.server, place, list.kind, std::move(list.components)};
    if (patches.components.empty()) {
      refuse(ErrorKind::malformed,
             fmt::format("{}: no component of Lync Server, Skype for Business Server or Communications Server in it{}",
                         place, list.others == 0 ? "" : fmt::format(", but {} of other names", list.others)));
      continue;
    }
    if (list.cut) refuse(ErrorKind::malformed, fmt::format("{}: more components than any server has", place));
    if (!update_level(patches)) {
      refuse(ErrorKind::malformed, fmt::format("{}: {} in it, but not the Core Components with a version of four "
                                               "numbers, which tell the update",
                                               place, count(patches.components.size(), "component")));
    }
    read.push_back(std::move(patches));
  }
  return read;
}

/// Error: local or timed_out.
static Result<void> read_one_trace(trace::Reader& reader, const std::string& path, const Server& server,
                                   const Deadline& deadline) {
  const std::string place = printable(path, 1024);
  const auto complain = [&](std::string_view why) { return fail(ErrorKind::local, fmt::format("{}: {}", place, why)); };
  // O_NONBLOCK: opening a pipe without a writer must not wait for one.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file.open()) return complain(error_text(errno));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return complain(error_text(errno));
  if (!S_ISREG(status.st_mode)) return complain("not a file");
  reader.begin(path, server.role == Role::edge ? TraceRole::edge : TraceRole::front_end, server.name);
  Result<void> done;
  for (;;) {
    if (deadline.over()) {
      done = fail(ErrorKind::timed_out, fmt::format("{}: not read to its end before the deadline", place));
      break;
    }
    const std::span<char> space = reader.space();
    const Result<std::size_t> got =
        read_some(file.number(), reinterpret_cast<std::uint8_t*>(space.data()), space.size());
    if (!got) done = complain(got.error().text);
    if (!got || *got == 0) break;
    reader.filled(*got);
  }
  reader.end();
  return done;
}

Traced read_traces(const std::vector<ServerFiles>& files, const Site& site, const Deadline& deadline,
                   std::vector<FileFailure>& failed) {
  trace::Reader reader;
  std::map<std::string, std::string> owners;
  for (const ServerFiles& of : files) {
    const Server* server = site.server(of.server);
    if (server == nullptr) continue;
    for (const std::string& path : of.paths) {
      if (!owners.emplace(printable(path, 1024), of.server).second) continue;  // named twice, and read once
      if (auto read = read_one_trace(reader, path, *server, deadline); !read)
        failed.push_back({of.server, std::move(read).error()});
    }
  }
  Traces traces = reader.take();
  for (const TraceFile& file : traces.files) {
    const auto owner = owners.find(file.name);
    if (file.records > 0 || owner == owners.end()) continue;
    failed.push_back({owner->second,
                      {ErrorKind::malformed,
                       file.bytes == 0 ? fmt::format("{}: an empty trace", file.name)
                                       : fmt::format("{}: no log record in it: a binary trace (.etl) has to be "
                                                     "converted to text first",
                                                     file.name)}});
  }
  if (traces.left_out > 0 && !files.empty()) {
    failed.push_back({files.front().server,
                      {ErrorKind::local, fmt::format("{} more than one run looks at in its and the other traces",
                                                     count(traces.left_out, "MRAS request"))}});
  }
  assign_traces(traces, site, owners);
  return summarise(study(std::move(traces)), site);
}

}  // namespace mrascheck::sources
