// SPDX-License-Identifier: Apache-2.0
#include "json/cleanup_json.hpp"

#include <fmt/format.h>

#include <map>

#include "core/cleanup_steps.hpp"
#include "json/base64.hpp"
#include "json/document.hpp"
#include "json/words.hpp"

namespace mrascheck::json {
namespace {

constexpr int format_version = 1;

Json lines(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(safe_text(text));
  return array;
}

Json certificate_json(const Certificate& certificate) {
  Json object;
  object["subject"] = safe_text(certificate.subject.text());
  object["issuer"] = safe_text(certificate.issuer.text());
  object["thumbprint"] = thumbprint(certificate);
  object["sha256"] = to_hex(certificate.sha256);
  object["serial"] = certificate.serial;
  object["key"] = safe_text(certificate.key_algorithm);
  object["key_bits"] = certificate.key_bits;
  object["key_sha256"] = to_hex(certificate.spki_sha256);
  object["not_before"] = to_iso8601(certificate.not_before);
  object["not_after"] = to_iso8601(certificate.not_after);
  object["ca_version"] =
      certificate.ca_version
          ? Json(fmt::format("V{}.{}", certificate.ca_version->certificate_index, certificate.ca_version->key_index))
          : Json(nullptr);
  return object;
}

Json relation_json(const Classification& relation) {
  Json object;
  object["relation"] = to_string(relation.relation);
  object["confidence"] = to_string(relation.confidence);
  object["because"] = safe_text(relation.because);
  return object;
}

Json document_of(std::string_view format, const std::string& site, const std::string& vantage, UtcTime at) {
  Json document;
  document["format"] = format;
  document["version"] = format_version;
  document["site"] = safe_text(site);
  document["vantage"] = safe_text(vantage);
  document["collected_at"] = to_iso8601(at);
  return document;
}

}  // namespace

std::string write_issuers(const Evidence& evidence, const std::vector<IssuerGroup>& groups, const CleanupPlan& plan) {
  std::map<Sha256, const CleanupVerdict*> verdicts;
  for (const CleanupVerdict& verdict : plan.verdicts) verdicts.emplace(verdict.certificate->sha256, &verdict);
  Json list = Json::array();
  for (const IssuerGroup& group : groups) {
    Json members = Json::array();
    for (const IssuerMember& member : group.members) {
      Json object = certificate_json(*member.entry->certificate);
      object["standing"] = to_string(member.standing);
      object["time_valid"] = member.time_valid;
      object["enrolled"] = member.enrolled;
      object["to_first"] = &member == &group.members.front() ? Json(nullptr) : relation_json(member.relation);
      Json signs = Json::array();
      for (const CertificateRef& child : member.signs) {
        signs.push_back({{"subject", safe_text(child->subject.text())}, {"thumbprint", thumbprint(*child)}});
      }
      object["signs"] = std::move(signs);
      const auto found = verdicts.find(member.entry->certificate->sha256);
      object["may_go"] = found == verdicts.end() ? Json(nullptr) : Json(to_string(found->second->may_go));
      object["because"] = found == verdicts.end() ? Json::array() : lines(found->second->because);
      Json places = Json::array();
      for (const Location& location : member.entry->locations) {
        places.push_back({{"store", safe_text(location.store->store)},
                          {"kind", to_string(location.entry->kind)},
                          {"place", safe_text(location.entry->place.str())},
                          {"index", location.entry->index}});
      }
      object["places"] = std::move(places);
      members.push_back(std::move(object));
    }
    Json object;
    object["subject"] = safe_text(group.subject.text());
    object["concerns_live"] = group.concerns_live;
    object["installations"] = group.installations;
    object["members"] = std::move(members);
    list.push_back(std::move(object));
  }
  Json document = document_of("mrascheck-issuers", evidence.site.name, evidence.vantage, evidence.collected_at);
  document["groups"] = std::move(list);
  document["not_looked_at"] = lines(not_looked_at(evidence));
  return print_document(document);
}

std::string write_cleanup(const CleanupPlan& plan) {
  Json verdicts = Json::array();
  for (const CleanupVerdict& verdict : plan.verdicts) {
    Json object = certificate_json(*verdict.certificate);
    object["standing"] = to_string(verdict.standing);
    object["to_first"] = relation_json(verdict.relation);
    object["may_go"] = to_string(verdict.may_go);
    object["because"] = lines(verdict.because);
    Json places = Json::array();
    for (const StoredCopy& copy : verdict.copies) {
      places.push_back({{"store", safe_text(copy.store)},
                        {"host", safe_text(copy.host)},
                        {"directory", copy.directory},
                        {"kind", to_string(copy.kind)},
                        {"place", safe_text(copy.place)}});
    }
    object["places"] = std::move(places);
    object["der"] = to_base64(verdict.certificate->der);
    verdicts.push_back(std::move(object));
  }
  Json steps = Json::array();
  for (const CleanupStep& step : cleanup_steps(plan)) {
    Json object;
    object["title"] = safe_text(step.title);
    object["notes"] = lines(step.notes);
    object["before"] = lines(step.before);
    object["commands"] = lines(step.commands);
    object["instead"] = lines(step.instead);
    object["after"] = lines(step.after);
    object["undo"] = lines(step.undo);
    steps.push_back(std::move(object));
  }
  Json document = document_of("mrascheck-cleanup", plan.site, plan.vantage, plan.at);
  document["may_go_now"] = plan.count(MayGo::now);
  document["not_yet"] = plan.count(MayGo::not_yet);
  document["cannot_be_told"] = plan.count(MayGo::unknown);
  document["certificates"] = std::move(verdicts);
  document["stand"] = lines(plan.stand);
  document["better"] = lines(plan.better);
  document["not_known"] = lines(plan.open);
  document["steps"] = std::move(steps);
  return print_document(document);
}

}  // namespace mrascheck::json
