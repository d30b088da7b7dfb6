// SPDX-License-Identifier: Apache-2.0
// The program's own rooms doing the floor's task: each FILE or directory is a store, read as `check` reads it, with one
// pool; then the graph and every same-name group with its members classified, as the checks do it; then the report of
// the floor. mrascheck-bench-issuers [--threads N] FILE|DIRECTORY...
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <iostream>
#include <string_view>
#include <thread>

#include "core/issuers.hpp"
#include "report.hpp"
#include "sources/sources.hpp"

namespace mrascheck {
namespace {

std::vector<StoreContents> read_stores(const std::vector<std::string>& paths, unsigned threads) {
  sources::CertificatePool pool;
  std::vector<StoreContents> stores(paths.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      StoreSource source;
      source.name = paths[i];
      source.paths = {paths[i]};
      Result<StoreContents> contents = sources::read_local_store(source, StoreKind::mixed, pool);
      if (contents) {
        stores[i] = *std::move(contents);
      } else {
        stores[i].unreadable.push_back({paths[i], contents.error().text});
      }
    }
  };
  std::vector<std::thread> more;
  for (unsigned i = 1; i < threads; ++i) more.emplace_back(work);
  work();
  for (std::thread& one : more) one.join();
  return stores;
}

int run(const std::vector<std::string>& paths, unsigned threads) {
  Evidence evidence;
  evidence.stores = read_stores(paths, threads);
  evidence.collected_at = std::chrono::sys_days{std::chrono::January / 1 / 2026};
  std::size_t entries = 0;
  std::vector<const Certificate*> distinct;  // equal bytes are one value
  for (const StoreContents& store : evidence.stores) {
    for (const Unreadable& bad : store.unreadable) std::cerr << bad.place << ": " << bad.reason << '\n';
    if (!store.unreadable.empty()) return 1;
    entries += store.entries.size();
    for (const StoreEntry& entry : store.entries) distinct.push_back(entry.certificate.get());
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const CertificateGraph graph(evidence);
  std::vector<std::vector<bench::Member>> groups;
  for (const IssuerGroup& group : issuer_groups(evidence, graph, recorded_oracle(evidence.signatures))) {
    std::vector<bench::Member>& members = groups.emplace_back();
    members.reserve(group.members.size());
    for (const IssuerMember& member : group.members) {
      const Certificate& certificate = *member.entry->certificate;
      members.push_back({certificate.thumbprint, certificate.subject.common_name()});
    }
  }
  bench::print_report(entries, distinct.size(), groups);
  ::_exit(0);  // as the program itself: nothing is given back that the end gives back anyway
}

}  // namespace
}  // namespace mrascheck

int main(int argc, char** argv) {
  ::mallopt(M_ARENA_MAX, 2);  // as the program's own main()
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  std::vector<std::string> paths{argv + 1, argv + argc};
  unsigned threads = 1;
  if (paths.size() > 2 && paths[0] == "--threads") {
    std::from_chars(paths[1].data(), paths[1].data() + paths[1].size(), threads);
    paths.erase(paths.begin(), paths.begin() + 2);
  }
  if (paths.empty()) {
    std::cerr << "usage: mrascheck-bench-issuers [--threads N] FILE|DIRECTORY...\n";
    return 2;
  }
  return mrascheck::run(paths, threads);
}
