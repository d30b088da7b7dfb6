// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "checks/common.hpp"
#include "core/orders.hpp"
#include "core/text.hpp"

namespace mrascheck::checks {
namespace {

constexpr std::array kinds{
    FindingKind{"certification-path.untrusted-root",
                "the path ends at a root that the judging server does not trust",
                {"RFC 5280", "6.1.1"}},
    FindingKind{"certification-path.incomplete",
                "an issuer is neither sent nor in the judging server's stores",
                {"RFC 5280", "6.1"}},
    FindingKind{"certification-path.distrusted",
                "every path leads through a certificate of a store of untrusted ones",
                {"Microsoft Learn, System Store Locations", "Disallowed"}},
    FindingKind{"certification-path.revoked",
                "every path leads through a certificate that a list at hand revokes",
                {"RFC 5280", "6.3"}},
    FindingKind{
        "certification-path.signature", "the only issuers of that name at hand did not sign", {"RFC 5280", "6.1.3"}},
    FindingKind{"certification-path.key-identifier",
                "the only issuer at hand is passed over for its key identifier",
                {"RFC 5280", "4.2.1.1"}},
    FindingKind{"certification-path.not-valid-now",
                "every path has an element that is expired or not valid yet",
                {"RFC 5280", "4.1.2.5"}},
    FindingKind{"certification-path.constraint",
                "every path breaks a constraint of one of its certificates",
                {"RFC 5280", "6.1.4"}},
    FindingKind{"certification-path.undecided", "whether a path is valid could not be told", {"RFC 5280", "6.1"}},
    FindingKind{"certification-path.no-trust-configured", "no store says what a server trusts", {"RFC 5280", "6.1.1"}},
    FindingKind{"certification-path.order-dependent",
                "there is a valid path, but an engine that does not look back may miss it",
                {"RFC 4158", "2.4.2"}},
    FindingKind{
        "certification-path.weak",
        "a valid path has a digest or a key that Windows blocks or these products do not support",
        {"Microsoft Learn, Environmental requirements for Skype for Business Server", "Certificate infrastructure"}},
    FindingKind{"certification-path.name-encoding",
                "every valid path has an issuer whose name is written otherwise than in what it issued",
                {"RFC 5280", "7.1"}},
};

enum Kind : std::size_t {
  untrusted_root,
  incomplete,
  distrusted,
  revoked,
  signature,
  key_identifier,
  not_valid_now,
  constraint,
  undecided,
  no_trust_configured,
  order_dependent,
  weak,
  name_encoding,
};

/// What the best of the invalid paths fails for; the first of these that applies is what must be mended first.
Kind kind_of(const Path& path) {
  if (path.has(PathProblemKind::distrusted)) return distrusted;
  if (path.has(PathProblemKind::signature)) return signature;
  if (path.has(PathProblemKind::incomplete)) return incomplete;
  if (path.has(PathProblemKind::untrusted_root)) return untrusted_root;
  if (path.has(PathProblemKind::revoked)) return revoked;
  if (path.has(PathProblemKind::expired) || path.has(PathProblemKind::not_yet_valid)) return not_valid_now;
  if (path.has(PathProblemKind::key_identifier)) return key_identifier;
  return constraint;
}

/// The certificate, seen anywhere, that issued `child`: its key verifies it, and its key identifiers fit. Null when
/// there is none, or none that stands in a store or was sent.
const GraphEntry* issuer_of(const Certificate& child, const CertificateGraph& graph, const SignatureOracle& signature) {
  const auto named = graph.named(child.issuer);
  const auto found = std::find_if(named.begin(), named.end(), [&](const GraphEntry& entry) {
    return entry.certificate->sha256 != child.sha256 &&
           signature(child, *entry.certificate) == SignatureState::verified &&
           match_issuer(child, *entry.certificate) != IssuerMatch::none;
  });
  return found == named.end() ? nullptr : &*found;
}

/// "Contoso Issuing CA (A1B2...), which stands in ad: CN=..."
std::string issuer_text(const GraphEntry& issuer) {
  return fmt::format("{} ({}), which {}", short_name(*issuer.certificate), thumbprint(*issuer.certificate),
                     issuer.locations.empty() ? "was sent" : "stands in " + issuer.locations.front().text());
}

/// What to do about an issuer that is not at hand. Sending a root cures nothing: trust is not taken from the wire.
std::string incomplete_remedy(const PathJudgement& judgement, const Path& path, const GraphEntry* issuer) {
  const std::string no_directory = " An Edge outside the domain gets nothing from Active Directory.";
  if (issuer != nullptr && issuer->certificate->self_issued()) {
    return fmt::format(
               "Import the root {}, into Trusted Root Certification Authorities of {} (certutil -addstore Root FILE), "
               "if it is to be trusted there: compare its thumbprint with what its owner says. Sending it cures "
               "nothing.",
               issuer_text(*issuer), judgement.judge) +
           no_directory;
  }
  if (issuer != nullptr) {
    return fmt::format("Let {} send {}, or import it on {}: certutil -addstore CA FILE.", judgement.subject,
                       issuer_text(*issuer), judgement.judge) +
           no_directory;
  }
  return fmt::format(
             "Find the missing CA certificate ({}). An intermediate: let {} send it, or import it on {} (certutil "
             "-addstore CA FILE). A root: sending it cures nothing; import it on {} (certutil -addstore Root FILE), "
             "but only after its owner has confirmed its thumbprint.",
             path.certificates.back()->issuer.text(), judgement.subject, judgement.judge, judgement.judge) +
         no_directory;
}

std::string remedy_for(Kind kind, const PathJudgement& judgement, const Path& path, const CertificateGraph& graph,
                       const SignatureOracle& proofs) {
  const std::string& last = short_name(*path.certificates.back());
  switch (kind) {
    case untrusted_root:
      return fmt::format(
          "If {} ({}) is to be trusted, import it into Trusted Root Certification Authorities of {} (Local Computer); "
          "else give {} a "
          "certificate of a CA that {} trusts. Compare thumbprints, not names.",
          last, thumbprint(*path.certificates.back()), judgement.judge, judgement.subject, judgement.judge);
    case incomplete:
      return incomplete_remedy(judgement, path, issuer_of(*path.certificates.back(), graph, proofs));
    case distrusted:
      return fmt::format(
          "Find out who put the certificate named above among the untrusted ones of {}, and why. If it is the right "
          "one, take it out there: certutil -delstore Disallowed THUMBPRINT (where group policy distributes it: from "
          "that policy); else have {} use a certificate of another CA.",
          judgement.judge, judgement.subject);
    case revoked:
      return fmt::format(
          "Ask whoever runs the CA why it was revoked, then give {} a certificate that is not: for its own, request "
          "and "
          "assign a new one and restart its services; for a CA's, have what it signed issued again. {} refuses it as "
          "soon as it checks revocation.",
          judgement.subject, judgement.judge);
    case signature:
      return fmt::format(
          "{} sends, or the stores of {} hold, a certificate of the right name and the wrong key: that of another "
          "installation of the "
          "CA. See same-name-issuers for which one is in use; import the one that signed, by thumbprint, on {} if it "
          "is "
          "not there, and then take out of the stores that feed {} what same-name-issuers says may go.",
          judgement.subject, judgement.judge, judgement.judge, judgement.subject);
    case key_identifier: {
      const auto passed_over = std::find_if(path.problems.begin(), path.problems.end(), [](const PathProblem& problem) {
        return problem.kind == PathProblemKind::key_identifier;
      });
      const Certificate& child = *path.certificates[passed_over->index];
      if (const GraphEntry* named = issuer_of(child, graph, proofs)) {
        return fmt::format(
            "The CA certificate that it names is {}. Import it on {} (certutil -addstore {} FILE){}. Or have the "
            "certificate of {} issued again under the CA certificate that is in use now.",
            issuer_text(*named), judgement.judge, named->certificate->self_issued() ? "Root" : "CA",
            named->certificate->self_issued() ? "" : fmt::format(", or let {} send it", judgement.subject),
            judgement.subject);
      }
      return fmt::format(
          "Reissue the certificate of {} under the CA certificate that is in use now: its authority key identifier "
          "names one that was found nowhere.",
          judgement.subject);
    }
    case not_valid_now:
      return fmt::format("Renew what has expired, on {} or its CA, and check the clocks of both servers.",
                         judgement.subject);
    default:
      return fmt::format(
          "Have the certificate of {} issued again by a CA that may issue it: the constraint named above forbids this "
          "one.",
          judgement.subject);
  }
}

std::string path_text(const Path& path) {
  std::string text;
  for (const CertificateRef& certificate : path.certificates) {
    if (!text.empty()) text += " <- ";
    text += fmt::format("{} ({})", short_name(*certificate), thumbprint(*certificate).substr(0, 8));
  }
  return text;
}

void judge_one(const Evidence& evidence, const PathJudgement& judgement, const CertificateGraph& graph,
               const SignatureOracle& proofs, Verdict& verdict) {
  const std::string about = fmt::format("{} judges {}", judgement.judge, judgement.subject);
  if (!judgement.trust_configured) return;
  ++verdict.examined;
  const PathSet& set = judgement.result.paths;
  if (set.any_valid()) {
    verdict.notes.push_back({about, path_text(set.paths.front())});
    return;
  }
  if (set.undecided() || !judgement.missing_stores.empty() || judgement.sent_unreadable) {
    Finding& open = verdict.findings.emplace_back(finding(kinds[undecided], Status::unknown, about));
    open.summary = fmt::format("whether {} has a valid certification path to the certificate of {} could not be told",
                               judgement.judge, judgement.subject);
    for (const std::string& store : judgement.missing_stores)
      open.facts.push_back(fmt::format("store {} could not be read whole", store));
    if (judgement.sent_unreadable)
      open.facts.push_back(fmt::format("a certificate that {} sent could not be read", judgement.subject));
    if (!set.bound.empty()) open.facts.push_back(fmt::format("the search for paths was ended at {}", set.bound));
    for (const Path& path : set.paths) {
      for (const PathProblem& problem : path.problems) open.facts.push_back(problem.text);
      break;
    }
    const bool not_evaluated = judgement.missing_stores.empty() && !judgement.sent_unreadable && !set.paths.empty() &&
                               set.paths.front().has(PathProblemKind::critical_extension);
    open.remedy = not_evaluated
                      ? fmt::format(
                            "Have Windows judge it, on {}: certutil -verify FILE.cer; and ask whoever runs the CA what "
                            "the extension named above is for.",
                            judgement.judge)
                      : "Mend what could not be read, then run this check again.";
    return;
  }
  const Path& best = set.paths.front();
  const Kind kind = kind_of(best);
  Finding& broken = verdict.findings.emplace_back(finding(kinds[kind], Status::critical, about));
  broken.summary =
      fmt::format("{} has no valid certification path to the certificate of {}", judgement.judge, judgement.subject);
  broken.facts.push_back(fmt::format("presented: {}", describe(*judgement.chain.front())));
  constexpr std::size_t most_paths = 4;
  for (std::size_t i = 0; i < std::min(set.paths.size(), most_paths); ++i) {
    broken.facts.push_back(fmt::format("path: {}", path_text(set.paths[i])));
    for (const PathProblem& problem : set.paths[i].problems) broken.facts.push_back(fmt::format("  {}", problem.text));
  }
  if (set.paths.size() > most_paths)
    broken.facts.push_back(fmt::format("and {} more paths, none of them valid", set.paths.size() - most_paths));
  if (kind == incomplete) {
    for (const std::string& url : best.certificates.back()->ca_issuer_urls)
      broken.facts.push_back(fmt::format("the missing issuer should be at {}", where_it_leads(evidence, url)));
  }
  for (const std::string& seen : judgement.seen_in) broken.facts.push_back(fmt::format("seen in {}", seen));
  if (judgement.seen_in.empty()) broken.facts.push_back("as its own files and stores make it; not seen on the wire");
  broken.remedy = remedy_for(kind, judgement, best, graph, proofs);
  broken.servers = {judgement.judge, judgement.subject};
  for (const PathProblem& problem : best.problems) {
    broken.certificates.push_back(best.certificates[problem.index]);
    const bool between_two =
        problem.kind == PathProblemKind::signature || problem.kind == PathProblemKind::key_identifier;
    if (between_two && problem.index + 1 < best.certificates.size())
      broken.certificates.push_back(best.certificates[problem.index + 1]);
    if (broken.reason.empty() && kind_of({.certificates = {}, .problems = {problem}}) == kind)
      broken.reason = problem.text;
  }
}

/// Windows tries all paths; OpenSSL, and whatever is built on it, takes the first issuer that fits by its name.
void judge_order(const Evidence& evidence, const CertificateGraph& graph, const PathJudgement& judgement,
                 Verdict& verdict) {
  if (!judgement.result.trusted()) return;
  std::vector<std::string> facts;
  for (const OrderProof& proof : prove_orders(evidence, graph, judgement, recorded_oracle(evidence.signatures))) {
    if (proof.kind != OrderProof::Kind::addition) facts.push_back(proof.text);
  }
  if (facts.empty()) return;
  Finding& raised = verdict.findings.emplace_back(finding(
      kinds[order_dependent], Status::warning, fmt::format("{} judges {}", judgement.judge, judgement.subject)));
  raised.summary = fmt::format(
      "{} has a valid certification path to the certificate of {}, but one that only an engine finds which looks back",
      judgement.judge, judgement.subject);
  raised.servers = {judgement.judge, judgement.subject};
  raised.facts = std::move(facts);
  raised.facts.push_back(fmt::format("path: {}", path_text(judgement.result.paths.paths.front())));
  raised.remedy = fmt::format(
      "Take what same-name-issuers says may go out of the stores of {}; or let the CA issue with key "
      "identifiers (subject and authority), by which the right one is told from the others. Until then whatever is "
      "built on OpenSSL (gateways, session border controllers, monitoring) fails by the order of its stores.",
      judgement.judge);
}

/// What Windows blocks (RSA keys below 1024 bits: KB2661254; MD5: KB2862973) and what these products do not support
/// (RSASSA-PSS). The signature of a trust anchor is nobody's concern: it is trusted as it stands.
std::vector<std::string> weaknesses(const Certificate& certificate, bool anchor) {
  constexpr unsigned least_rsa_bits = 1024;
  std::vector<std::string> found;
  const std::string label = fmt::format("{} ({})", short_name(certificate), thumbprint(certificate));
  const std::string algorithm = to_lower(certificate.signature_algorithm.str());
  if (!anchor && (algorithm.starts_with("md") || algorithm == "rsassa-pss"))
    found.push_back(fmt::format("{} is signed with {}", label, certificate.signature_algorithm.str()));
  if (certificate.key_algorithm == "RSASSA-PSS") found.push_back(fmt::format("{} has an RSASSA-PSS key", label));
  if (certificate.key_algorithm.starts_with("RSA") && certificate.key_bits > 0 && certificate.key_bits < least_rsa_bits)
    found.push_back(fmt::format("{} has an RSA key of {} bits", label, certificate.key_bits));
  return found;
}

void judge_weakness(const PathJudgement& judgement, Verdict& verdict) {
  if (!judgement.result.trusted()) return;
  const Path& chosen = judgement.result.paths.paths.front();
  std::vector<std::string> facts;
  for (std::size_t i = 0; i < chosen.certificates.size(); ++i) {
    const bool anchor = i + 1 == chosen.certificates.size();
    for (std::string& line : weaknesses(*chosen.certificates[i], anchor)) facts.push_back(std::move(line));
  }
  if (facts.empty()) return;
  Finding& raised = verdict.findings.emplace_back(
      finding(kinds[weak], Status::warning, fmt::format("{} judges {}", judgement.judge, judgement.subject)));
  raised.summary =
      fmt::format("the path of {} to the certificate of {} is valid, but Windows or Skype for Business may refuse it",
                  judgement.judge, judgement.subject);
  raised.facts = std::move(facts);
  raised.facts.push_back(fmt::format("path: {}", path_text(chosen)));
  raised.remedy =
      "Have what is named above issued again with RSA keys of 2048 bits or more and a signature of SHA-256 and PKCS#1 "
      "v1.5 (on AD CS: AlternateSignatureAlgorithm=0 in CAPolicy.inf and in the request).";
}

/// Of a path, each step whose two names are one by RFC 5280, 7.1, and not byte for byte: Windows looks for the issuer
/// by its bytes, so such a path is no path there.
std::vector<std::string> encoded_otherwise(const Path& path) {
  std::vector<std::string> steps;
  for (std::size_t i = 0; i + 1 < path.certificates.size(); ++i) {
    const Certificate& child = *path.certificates[i];
    const Certificate& issuer = *path.certificates[i + 1];
    if (same_bytes(child.issuer, issuer.subject)) continue;
    steps.push_back(fmt::format("{} calls its issuer {}, in other bytes than the subject of {}", label(child),
                                child.issuer.text(), label(issuer)));
  }
  return steps;
}

void judge_encoding(const PathJudgement& judgement, Verdict& verdict) {
  if (!judgement.result.trusted()) return;
  std::vector<std::string> facts;
  for (const Path& path : judgement.result.paths.paths) {
    if (!path.valid()) continue;
    std::vector<std::string> steps = encoded_otherwise(path);
    if (steps.empty()) return;
    if (facts.empty()) facts = std::move(steps);
  }
  if (facts.empty()) return;
  Finding& raised = verdict.findings.emplace_back(
      finding(kinds[name_encoding], Status::warning, fmt::format("{} judges {}", judgement.judge, judgement.subject)));
  raised.summary = fmt::format(
      "the path of {} to the certificate of {} is valid, but a name in it is written in two ways, and Windows compares "
      "names byte by byte",
      judgement.judge, judgement.subject);
  raised.servers = {judgement.judge, judgement.subject};
  raised.facts = std::move(facts);
  raised.facts.push_back(fmt::format("path: {}", path_text(judgement.result.paths.paths.front())));
  raised.remedy = fmt::format(
      "Have Windows judge it, on {}: certutil -verify FILE.cer. If it finds no issuer, renew the CA so that its "
      "subject "
      "is written as in what it issued (on AD CS: keep the CA's name as it was, with the same string types), or have "
      "the certificates named above issued again.",
      judgement.judge);
}

std::string result_text(const PathJudgement& judgement) {
  std::string text;
  for (const Path& path : judgement.result.paths.paths) {
    text += path_text(path) + '\n';
    for (const PathProblem& problem : path.problems) text += problem.text + '\n';
  }
  return text;
}

/// Where links go both ways, a certificate is judged as a client's and as a server's: said once where it is the same.
std::vector<PathJudgement> each_once(std::vector<PathJudgement> judgements) {
  std::vector<PathJudgement> once;
  once.reserve(judgements.size());
  std::multimap<std::pair<std::string, std::string>, std::size_t> places;  // in `once`, by who judges whom
  for (PathJudgement& judgement : judgements) {
    const auto [first, last] = places.equal_range({judgement.judge, judgement.subject});
    const auto same = std::find_if(first, last, [&](const auto& place) {
      const PathJudgement& other = once[place.second];
      return judgement.trust_configured && other.subject_is_client != judgement.subject_is_client &&
             other.chain == judgement.chain && other.sent_unreadable == judgement.sent_unreadable &&
             result_text(other) == result_text(judgement);
    });
    if (same == last) {
      places.emplace(std::pair{judgement.judge, judgement.subject}, once.size());
      once.push_back(std::move(judgement));
    } else {
      PathJudgement& other = once[same->second];
      other.subject_is_client = false;
      other.seen_in.insert(other.seen_in.end(), judgement.seen_in.begin(), judgement.seen_in.end());
    }
  }
  return once;
}

Verdict judge(const Evidence& evidence) {
  Verdict verdict;
  const SignatureOracle proofs = recorded_oracle(evidence.signatures);
  const auto judgements = each_once(judge_paths(evidence, proofs));
  const CertificateGraph graph{evidence};
  std::vector<std::string> without_trust;
  for (const PathJudgement& judgement : judgements) {
    judge_one(evidence, judgement, graph, proofs, verdict);
    judge_order(evidence, graph, judgement, verdict);
    judge_weakness(judgement, verdict);
    judge_encoding(judgement, verdict);
    if (judgement.trust_configured) continue;
    if (judgement.subject_is_client) {
      verdict.notes.push_back(
          {fmt::format("{} judges {}", judgement.judge, judgement.subject),
           fmt::format("the stores of {} are not configured: only the handshake tells", judgement.judge)});
    } else if (std::find(without_trust.begin(), without_trust.end(), judgement.judge) == without_trust.end()) {
      without_trust.push_back(judgement.judge);
    }
  }
  for (const std::string& judge_name : without_trust) {
    Finding& open = verdict.findings.emplace_back(finding(kinds[no_trust_configured], Status::unknown, judge_name));
    open.summary = fmt::format("whether {} would trust its peers is unknown: no store says what it trusts", judge_name);
    open.remedy =
        fmt::format("Name the stores that hold its roots under `trusts` of {} (check_mras: --trust FILE).", judge_name);
  }
  return verdict;
}

}  // namespace

extern const Check certification_path;
constinit const Check certification_path{
    .id = "certification-path",
    .title = "each side has a valid path to the other's certificate, from its own stores",
    .needs = Needs::stores | Needs::identities | Needs::handshakes | Needs::signatures,
    .kinds = kinds,
    .judge = judge};

}  // namespace mrascheck::checks
