// SPDX-License-Identifier: Apache-2.0
#include "render/junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "render/layout.hpp"

namespace mrascheck::render {
namespace {

/// Text for an element or an attribute: what XML 1.0, 2.2 does not allow is replaced, and what is markup escaped.
std::string xml(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    std::string line = printable(text.substr(0, end), text.size() * 3 + 3);
    for (const std::string_view no_character : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {  // U+FFFE, U+FFFF
      for (std::size_t at = line.find(no_character); at != std::string::npos; at = line.find(no_character, at + 3))
        line.replace(at, 3, "\xEF\xBF\xBD");
    }
    for (const char c : line) {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        default:
          out += c;
      }
    }
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string attribute(std::string_view name, std::string_view value) {
  return fmt::format(" {}=\"{}\"", name, xml(one_line(value)));
}

enum class Ended { passed, failure, error, skipped };

struct TestCase {
  std::string check;
  std::string name;
  Ended ended = Ended::passed;
  std::string type;
  std::string message;
  std::string text;  ///< of a failure or error, else of system-out
};

struct Suite {
  std::string name;
  std::vector<TestCase> cases = {};
  std::size_t count(Ended ended) const {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [&](const TestCase& one) { return one.ended == ended; }));
  }
};

/// Which suite something belongs to, by the words that a finding or a note has for it.
class Places {
 public:
  explicit Places(const Site& site) {
    for (const Link& link : site.links) {
      by_words_.emplace(link.id(), next_);
      by_ends_.emplace(fmt::format("{} -> {}", link.from, link.to), next_);
      by_ends_and_port_.emplace(fmt::format("{} -> {} {}", link.from, link.to, link.port), next_);
      ++next_;
    }
    first_store_ = next_;
    for (const StoreSpec& store : site.stores) by_words_.emplace(store.name, next_++);
  }
  std::size_t first_store() const { return first_store_; }
  std::size_t size() const { return next_; }

  std::optional<std::size_t> of(const std::string& about) const {
    if (const auto whole = by_words_.find(about); whole != by_words_.end()) return whole->second;
    // Handshake::id(): "fe1 -> edge1 (192.0.2.1:5062, chain 1/2)"
    const std::size_t bracket = about.find(" (");
    const std::string ends = about.substr(0, bracket);
    if (bracket != std::string::npos) {
      const std::string rest = about.substr(bracket, about.find(',', bracket) - bracket);
      const std::size_t colon = rest.rfind(':');
      if (colon != std::string::npos) {
        const std::string port = rest.substr(colon + 1, rest.find_first_not_of("0123456789", colon + 1) - colon - 1);
        const auto link = by_ends_and_port_.find(fmt::format("{} {}", ends, port));
        if (link != by_ends_and_port_.end()) return link->second;
      }
    }
    const auto link = by_ends_.find(ends);
    return link == by_ends_.end() ? std::nullopt : std::optional{link->second};
  }

 private:
  std::map<std::string, std::size_t> by_words_;
  std::map<std::string, std::size_t> by_ends_;
  std::map<std::string, std::size_t> by_ends_and_port_;
  std::size_t next_ = 0;
  std::size_t first_store_ = 0;
};

class Suites {
 public:
  Suites(const Report& report, const Site& site, bool strict)
      : report_(report), strict_(strict), places_(site), link_count_(places_.first_store()) {
    for (const Link& link : site.links) suites_.push_back({link.id()});
    for (const StoreSpec& store : site.stores) suites_.push_back({fmt::format("store {}", store.name)});
    suites_.push_back({fmt::format("site {}", report.site)});
    add_gaps();
    for (const CheckResult& check : report.checks) add(check);
    for (std::size_t i = 0; i < places_.size(); ++i) fill(i);
    // Nobody is to read silence as success.
    if (suites_.back().cases.empty() || (report_.status == Status::unknown && !any(Ended::error)))
      whole().push_back({"report", "report", report_.status == Status::ok ? Ended::passed : Ended::error, "report",
                         tally(report_), ""});
  }

  std::string print() const {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites";
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    for (const Suite& suite : suites_) {
      tests += suite.cases.size();
      failures += suite.count(Ended::failure);
      errors += suite.count(Ended::error);
    }
    out += attribute("name", fmt::format("mrascheck {}", report_.site));
    out += fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n", tests, failures, errors);
    std::string timestamp = to_iso8601(report_.collected_at);
    timestamp.pop_back();  // the schema has it without a zone; it is UTC
    for (const Suite& suite : suites_) {
      out += "  <testsuite" + attribute("name", suite.name);
      out +=
          fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" timestamp=\"{}\"", suite.cases.size(),
                      suite.count(Ended::failure), suite.count(Ended::error), suite.count(Ended::skipped), timestamp);
      out += attribute("hostname", report_.vantage) + ">\n";
      for (const TestCase& one : suite.cases) print(one, out);
      out += "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
  }

 private:
  static void print(const TestCase& one, std::string& out) {
    out += "    <testcase" + attribute("classname", "mrascheck." + one.check) + attribute("name", one.name);
    const std::string text = xml(one.text);
    if (one.ended == Ended::passed) {
      out += text.empty() ? "/>\n" : fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n", text);
      return;
    }
    const std::string_view element = one.ended == Ended::failure ? "failure"
                                     : one.ended == Ended::error ? "error"
                                                                 : "skipped";
    out += fmt::format(">\n      <{}", element);
    if (!one.type.empty()) out += attribute("type", one.type);
    out += attribute("message", one.message);
    out += text.empty() ? "/>\n" : fmt::format(">{}</{}>\n", text, element);
    out += "    </testcase>\n";
  }

  bool any(Ended ended) const {
    return std::any_of(suites_.begin(), suites_.end(), [&](const Suite& suite) { return suite.count(ended) > 0; });
  }
  std::vector<TestCase>& whole() { return suites_.back().cases; }
  Suite& suite_of(const std::string& about) {
    const auto place = places_.of(about);
    return place ? suites_[*place] : suites_.back();
  }

  static std::string words_of(const Finding& finding) {
    std::string text = finding.summary + '\n';
    for (const std::string& fact : finding.facts) text += fmt::format("- {}\n", fact);
    if (!finding.remedy.empty()) text += fmt::format("What to do: {}\n", finding.remedy);
    if (const std::string cited = source(finding.citation); !cited.empty()) text += fmt::format("Source: {}\n", cited);
    return text;
  }

  void add_gaps() {
    for (std::size_t i = 0; i < report_.gaps.size(); ++i) {
      const Gap& gap = report_.gaps[i];
      std::string text = fmt::format("{}\nWhat to do: {}\n", gap.reason, gap.remedy);
      if (const auto ids = left_unknown(report_, i); !ids.empty())
        text += fmt::format("Unknown because of this: {}.\n", enumerate(ids));
      suite_of(gap.about).cases.push_back({"look", fmt::format("look at {}", subject(gap)), Ended::error,
                                           fmt::format("gap.{}", to_string(gap.need)), gap.reason, std::move(text)});
    }
  }

  void add(const CheckResult& check) {
    const std::string id{check.id};
    std::set<std::string> found_about;
    std::vector<bool> told(link_count_, false);
    bool about_links = false;
    const auto tell = [&](const std::string& about) {
      if (const auto place = places_.of(about); place && *place < link_count_) told[*place] = about_links = true;
    };
    for (const Finding& finding : check.verdict.findings) {
      found_about.insert(finding.about);
      tell(finding.about);
      const Ended ended = finding.status == Status::critical  ? Ended::failure
                          : finding.status == Status::unknown ? Ended::error
                          : strict_                           ? Ended::failure
                                                              : Ended::passed;
      std::string text = words_of(finding);
      if (ended == Ended::passed) text = fmt::format("{}: {}", to_string(finding.status), text);
      suite_of(finding.about)
          .cases.push_back({id, fmt::format("{}: {}", finding.code, finding.about), ended, std::string{finding.code},
                            finding.summary, std::move(text)});
    }
    bool passed_in_part = false;
    for (const Note& note : check.verdict.notes) {
      const auto place = places_.of(note.about);
      if (!place || found_about.contains(note.about)) continue;
      tell(note.about);
      passed_in_part = true;
      TestCase one{id, fmt::format("{}: {}", check.title, note.about), Ended::passed, "", "", note.text + '\n'};
      auto& cases = suites_[*place].cases;
      const auto same = std::find_if(cases.begin(), cases.end(), [&](const TestCase& other) {
        return other.check == id && other.name == one.name && other.ended == Ended::passed;
      });
      if (same == cases.end()) {
        cases.push_back(std::move(one));
      } else {
        same->text += one.text;
      }
    }
    // A check that speaks of links, and of this one not: something before it kept it from being tried.
    for (std::size_t i = 0; about_links && i < told.size(); ++i) {
      if (told[i]) continue;
      suites_[i].cases.push_back({id, fmt::format("{}: {}", check.title, suites_[i].name), Ended::skipped, "",
                                  "it says nothing of this link: what comes before it did not come about", ""});
    }
    if (!check.applicable) {
      whole().push_back({id, std::string{check.title}, Ended::skipped, "", "there is nothing that it looks at", ""});
    } else if (check.verdict.findings.empty() && check.gaps.empty()) {
      whole().push_back(
          {id, std::string{check.title}, Ended::passed, "", "", fmt::format("{} looked at\n", check.verdict.examined)});
    } else if (check.verdict.findings.empty() && !passed_in_part) {
      whole().push_back({id, std::string{check.title}, Ended::skipped, "",
                         "what it needs could not be looked at: see the errors", ""});
    }
  }

  /// A store of which nothing bad is told was read; a link of which nothing is told was not tried.
  void fill(std::size_t place) {
    Suite& suite = suites_[place];
    if (place >= link_count_) {
      if (suite.count(Ended::error) == 0)
        suite.cases.push_back({"look", "look at " + suite.name, Ended::passed, "", "", ""});
    } else if (suite.cases.empty()) {
      suite.cases.push_back({"look", "look at " + suite.name, Ended::skipped, "", "nothing is told of this link", ""});
    }
  }

  const Report& report_;
  bool strict_;
  Places places_;
  std::size_t link_count_;
  std::vector<Suite> suites_;
};

}  // namespace

std::string junit(const Report& report, const Site& site, bool strict) {
  return Suites{report, site, strict}.print();
}

}  // namespace mrascheck::render
