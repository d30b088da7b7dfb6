// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/site_command.hpp"
#include "cli/support.hpp"
#include "core/text.hpp"
#include "core/trace.hpp"
#include "json/trace_json.hpp"
#include "render/trace.hpp"
#include "trace/reader.hpp"

namespace mrascheck::cli {
namespace {

using Texts = std::vector<std::string>;

po::options_description trace_options() {
  po::options_description all{"Options", 80};
  // clang-format off
  all.add_options()
      ("front-end", po::value<Texts>()->composing()->value_name("FILE"),
       "a trace of a Front End, whatever it looks like; repeatable")
      ("edge", po::value<Texts>()->composing()->value_name("FILE"),
       "a trace of an Edge, whatever it looks like; repeatable")
      ("format", po::value<Texts>()->composing()->value_name("NAME[=FILE]"),
       "text or json, to standard output or a file; repeatable (default text)")
      ("verbose,v", "list every request and every user")
      ("help,h", "this text");
  // clang-format on
  return all;
}

/// Error: local, "fe1.txt: No such file or directory".
Result<void> read_trace(trace::Reader& reader, const std::string& path, TraceRole role) {
  const bool standard_input = path == "-";
  const auto complain = [&] {
    return fail(ErrorKind::local, fmt::format("{}: {}", printable(path, 1024), std::strerror(errno)));
  };
  const int file = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return complain();
  struct stat about {};
  if (::fstat(file, &about) == 0 && S_ISDIR(about.st_mode)) {
    ::close(file);
    errno = EISDIR;
    return complain();
  }
  reader.begin(standard_input ? "standard input" : path, role);
  Result<void> done;
  for (;;) {
    const std::span<char> space = reader.space();
    const ssize_t n = ::read(file, space.data(), space.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) done = complain();
    if (n <= 0) break;
    reader.filled(static_cast<std::size_t>(n));
  }
  reader.end();
  if (!standard_input) ::close(file);
  return done;
}

int run_trace(const Texts& arguments, Streams io) {
  const po::options_description known = trace_options();
  // A lone dash is standard input, and no option.
  const auto args = parse(arguments, known);
  if (!args) return refuse(io.err, args.error().text, {});
  if (args->has("help")) {
    io.out << "Usage: mrascheck trace [options] FILE...\n"
              "Reads what SIPStack tracing, OCSLogger or CLS wrote on Front Ends and Edges,\n"
              "of any size: which MRAS requests failed, why, whose, and when. With traces of\n"
              "both sides it also tells which requests never reached the Edge. - is standard\n"
              "input. It looks at nothing else and changes nothing.\n\n"
           << help(known)
           << "\nExamples:\n"
              "  mrascheck trace fe1.txt\n"
              "  mrascheck trace fe1.txt --edge edge1.txt\n"
              "  mrascheck trace *.log --format text --format json=trace.json\n"
              "\nExit codes: 0 every request got credentials, 1 some failed or got no answer,\n"
              "but no user is left without, 2 a user is left without, 3 it cannot be told.\n";
    return 0;
  }
  const auto wanted = formats(*args, {"text", "json"});
  if (!wanted) return refuse(io.err, wanted.error().text, {});
  std::vector<std::pair<std::string, TraceRole>> files;
  for (const std::string& file : args->texts("front-end")) files.emplace_back(file, TraceRole::front_end);
  for (const std::string& file : args->texts("edge")) files.emplace_back(file, TraceRole::edge);
  for (const std::string& file : args->positional) files.emplace_back(file, TraceRole::unknown);
  if (files.empty()) return refuse(io.err, "which trace? name its files, or - for standard input", {});
  trace::Reader reader;
  Texts unread;
  for (const auto& [file, role] : files) {
    if (const auto read = read_trace(reader, file, role); !read) unread.push_back(read.error().text);
  }
  Traces traces = reader.take();
  traces.unread = std::move(unread);
  const TraceStudy study = mrascheck::study(std::move(traces));
  render::Options how;
  how.verbosity = args->verbosity;
  const Texts failed = write_formats(*wanted, io, [&](const Format& format) {
    return format.name == "json" ? json::write_trace(study) : render::trace(study, how);
  });
  for (const std::string& complaint : failed) io.err << "could not be written: " << complaint << '\n';
  return exit_code(flushed(io, failed.empty() ? study.status : worst(study.status, Status::unknown)));
}

}  // namespace

extern const Command trace_command;
constinit const Command trace_command{"trace", "read SIPStack traces: which MRAS requests failed, and why", run_trace,
                                      trace_options};

}  // namespace mrascheck::cli
