// SPDX-License-Identifier: Apache-2.0
#include "traces.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "runner.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::bench {
namespace {

constexpr std::size_t trace_bytes = std::size_t{1024} * 1024 * 1024;
constexpr double most_memory = 64;  // MiB
constexpr int busy_per_sign_in = 40;
constexpr int sign_ins_per_failure = 10;

std::string trace_of(const std::string& name) {
  std::ifstream file(MRASCHECK_SOURCE_DIR "/fixtures/traces/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string with(std::string text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// A record as most of a trace is: a call with its session description.
std::string call_record(unsigned i, const std::string& time, const char* direction, const char* start_line) {
  static const std::string session = [] {
    std::string lines =
        "v=0\r\no=- 0 0 IN IP4 192.0.2.10\r\ns=session\r\nc=IN IP4 192.0.2.10\r\nb=CT:99980\r\nt=0 0\r\n";
    for (int n = 1; n <= 12; ++n)
      lines += fmt::format("a=candidate:{} 1 UDP 2130706431 192.0.2.{} 50{:03} typ host\r\n", n, n, n);
    return lines;
  }();
  return fmt::format(
      "TL_INFO(TF_PROTOCOL) [0]0BE8.{:04X}::03/14/2011-{}.{:08x} "
      "(SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125))$$begin_record\r\nTrace-Correlation-Id: "
      "{}\r\nInstance-Id: {:08X}\r\nDirection: {}\r\nPeer: 198.51.100.7:50123\r\nMessage-Type: request\r\nStart-Line: "
      "{}\r\nFrom: <sip:user{}@contoso.example>;tag=1414213562;epid=0badc0ffee\r\nTo: "
      "<sip:partner@fabrikam.example>\r\nCSeq: 1 INVITE\r\nCall-ID: {:032x}\r\nVia: SIP/2.0/TLS "
      "192.0.2.10:51300;branch=z9hG4bK11111111.2222222222222222;branched=FALSE\r\nMax-Forwards: 70\r\nContact: "
      "<sip:user@contoso.example;opaque=user:epid:2L_Ol0dqJVO_R1E7cD7V_gAA;gruu>\r\nUser-Agent: UCCAPI/4.0.7577.0 "
      "OC/4.0.7577.0 (Microsoft Lync 2010)\r\nSupported: ms-forking\r\nms-keep-alive: "
      "UAC;hop-hop=yes\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\nMessage-Body: "
      "{}$$end_record\r\n\r\n",
      i % 999, time, i, i, i, direction, start_line, i % 5000, i * 7919U, session.size(), session);
}

/// How many requests failed in it.
std::size_t write_trace(const std::string& path) {
  const std::string granted = trace_of("granted-front-end.txt");
  const std::string failed = trace_of("connection-failed-front-end.txt");
  std::ofstream file(path, std::ios::binary);
  std::size_t written = 0;
  std::size_t failures = 0;
  for (unsigned i = 1; written < trace_bytes; ++i) {
    const unsigned second = i / 20;
    const std::string time =
        fmt::format("{:02}:{:02}:{:02}.{:03}", 9 + second / 3600, second / 60 % 60, second % 60, i % 1000);
    std::string text = call_record(i, time, "incoming", "INVITE sip:partner@fabrikam.example SIP/2.0") +
                       call_record(i + 1, time, "outgoing", "SIP/2.0 200 OK");
    if (i % busy_per_sign_in == 0) text += with(granted, "00112233445566778899aabbccddeeff", fmt::format("{:032x}", i));
    if (i % (busy_per_sign_in * sign_ins_per_failure) == 0) {
      text += with(failed, "ffeeddccbbaa99887766554433221100", fmt::format("f{:031x}", i));
      ++failures;
    }
    file << text;
    written += text.size();
  }
  if (!file.flush()) give_up("no room for a trace of 1 GiB");
  return failures;
}

}  // namespace

void traces() {
  const test::TempDir dir;
  const std::string trace = dir / "trace.txt";
  const std::size_t failures = write_trace(trace);
  const Runner ours{{bin + "/mrascheck", "trace", trace}, 2, fmt::format("{} failed", failures)};
  const Runner theirs{{"wc", "-l", trace}, 0, trace};
  compare("a trace of 1 GiB analysed to wc -l of it, CPU time", ours, theirs, &Cost::cpu, 3.0, 9);
  compare("a trace of 1 GiB analysed to wc -l of it, wall time", ours, theirs, &Cost::wall, 3.0, 9);
  const double peak = cost_of(ours, dir / "out").peak;
  std::cout << fmt::format("a trace of 1 GiB analysed: {:.1f} MiB at most (bound {:.0f})\n", peak, most_memory)
            << std::flush;
}

}  // namespace mrascheck::bench
