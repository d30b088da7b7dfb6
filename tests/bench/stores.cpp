// SPDX-License-Identifier: Apache-2.0
#include "stores.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <map>
#include <tuple>

#include "core/graph.hpp"
#include "runner.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::bench {
namespace {

constexpr std::size_t many = 100'000;

/// A directory of make_authorities.cpp, made when it is first asked for and removed at the end. Another process makes
/// it, since the peak of a child counts what its parent had when it was started.
std::string world(std::size_t count, const std::string& shape, int seed = 1) {
  static const test::TempDir all;
  static std::map<std::tuple<std::size_t, std::string, int>, std::string> made;
  std::string& directory = made[{count, shape, seed}];
  if (directory.empty()) {
    directory = all / fmt::format("{}-{}-{}", shape, count, seed);
    cost_of({{bin + "/mrascheck-bench-make", directory, std::to_string(count), shape, std::to_string(seed)}, 0, {}},
            all / "output");
  }
  return directory;
}

Runner ours(const std::string& directory, const std::string& form) {
  return {{bin + "/mrascheck-bench-issuers", directory + form}, 0, {}, directory + "/truth.txt"};
}
Runner floor_of(const std::string& directory, const std::string& form) {
  return {{bin + "/mrascheck-bench-floor", directory + form}, 0, {}, directory + "/truth.txt"};
}
Runner decoder(const std::string& directory, const std::string& form, std::size_t count) {
  return {{bin + "/mrascheck-bench-floor", "--d2i", directory + form}, 0, fmt::format("decoded {}\n", count)};
}

}  // namespace

void stores() {
  const std::string directory = world(many, "ordinary");
  compare("100,000 CA certificates in one PEM, CPU to the floor", ours(directory, "/all.pem"),
          floor_of(directory, "/all.pem"), &Cost::cpu, 2.0, 11);
  compare("the same, peak memory to the floor", ours(directory, "/all.pem"), floor_of(directory, "/all.pem"),
          &Cost::peak, 1.0, 3);
  compare("the same in one PKCS#7, CPU to the floor", ours(directory, "/all.p7b"), floor_of(directory, "/all.p7b"),
          &Cost::cpu, 2.0, 11);
  compare("the same in one PKCS#7, peak memory to the floor", ours(directory, "/all.p7b"),
          floor_of(directory, "/all.p7b"), &Cost::peak, 1.0, 3);
  compare("the same in one .sst, CPU to the floor", ours(directory, "/all.sst"), floor_of(directory, "/all.sst"),
          &Cost::cpu, 2.0, 11);
  compare("the same in one .sst, peak memory to the floor", ours(directory, "/all.sst"),
          floor_of(directory, "/all.sst"), &Cost::peak, 1.0, 3);
  compare("the same in a directory of DER files, CPU to the floor", ours(directory, "/der"),
          floor_of(directory, "/der"), &Cost::cpu, 2.0, 7);
  compare("100,000 CA certificates in one PEM, CPU to a loop of d2i_X509", ours(directory, "/all.pem"),
          decoder(directory, "/all.pem", many), &Cost::cpu, 0.10, 3);
}

void store_shapes() {
  const std::string ordinary = world(many, "ordinary");
  const std::string tenth = world(many / 10, "ordinary");
  compare("100,000 CA certificates to 10,000, CPU", ours(ordinary, "/all.pem"), ours(tenth, "/all.pem"), &Cost::cpu,
          12.0, 11);
  compare("100,000 CA certificates of one subject to the ordinary case, CPU",
          ours(world(many, "one-subject"), "/all.pem"), ours(ordinary, "/all.pem"), &Cost::cpu, 1.5, 11);
  compare("10,000 copies of one CA certificate to the ordinary case, CPU", ours(world(many / 10, "copies"), "/all.pem"),
          ours(tenth, "/all.pem"), &Cost::cpu, 1.5, 11);
}

void store_threads() {
  const std::string a = world(many / 2, "ordinary", 2) + "/all.pem";
  const std::string b = world(many / 2, "ordinary", 3) + "/all.pem";
  const std::string program = bin + "/mrascheck-bench-issuers";
  const Runner one{{program, a, b}, 0, "entries 100000\n"};
  const Runner two{{program, "--threads", "2", a, b}, 0, "entries 100000\n"};
  compare("two stores of 50,000 CA certificates on two threads to one, wall", two, one, &Cost::wall, 1.0, 11);
  compare("the same, CPU", two, one, &Cost::cpu, 1.2, 11);
}

void store_fleet() {
  constexpr std::size_t certificates = 300;
  constexpr std::size_t hosts = 1'000;
  const std::string fleet = world(certificates, "fleet");
  const std::string distinct = world(many, "ordinary");
  compare("1,000 exports of the same 300 CA certificates to d2i_X509 of each, CPU", ours(fleet, "/exports"),
          decoder(fleet, "/exports", certificates * hosts), &Cost::cpu, 0.10, 3);
  compare("the same to as many distinct ones read by ourselves, CPU", ours(fleet, "/exports"),
          ours(distinct, "/all.pem"), &Cost::cpu, 0.10, 11, static_cast<double>(certificates * hosts) / many);
}

void mesh() {
  constexpr std::size_t authorities = 50;
  const auto named = [](std::size_t number) {
    const std::string text = fmt::format("CN=Mesh CA {:02}", number);
    return Name{{.canonical = text, .text = text}};
  };
  TrustView view;
  view.configured = true;
  CertificateRef target;
  for (std::size_t subject = 0; subject <= authorities; ++subject) {
    for (std::size_t issuer = 0; issuer < authorities; ++issuer) {
      auto made = std::make_shared<Certificate>();
      made->subject = named(subject);
      made->issuer = named(issuer);
      made->is_ca = true;
      made->not_after = UtcTime{std::chrono::hours{24}};
      made->spki_sha256[0] = static_cast<std::uint8_t>(subject);
      made->sha256[0] = static_cast<std::uint8_t>(subject);
      made->sha256[1] = static_cast<std::uint8_t>(issuer);
      // The last one is no authority but what all this is for: issued by the first, and the anchor is hard to find.
      if (subject == authorities) {
        target = made;
        break;
      }
      if (subject == issuer && subject + 1 != authorities) continue;
      if (subject == issuer) view.anchors.insert(made->sha256);
      view.index.add(made);
    }
  }
  const SignatureOracle verified = [](const Certificate&, const Certificate&) { return SignatureState::verified; };
  const auto begin = std::chrono::steady_clock::now();
  const PathSet found = find_paths(target, {.trust = &view, .sent = {}, .at = {}}, verified);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (found.bound.empty()) give_up("the search of a mesh says no bound");
  std::cout << fmt::format(
                   "paths through 50 CAs that have all cross-signed each other: {} found, cut at '{}' ({:.3f} s; "
                   "bound 1.00)\n",
                   found.paths.size(), found.bound, seconds)
            << std::flush;
}

}  // namespace mrascheck::bench
