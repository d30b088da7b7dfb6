// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/cleanup.hpp"
#include "core/issuers.hpp"
#include "render/render.hpp"

namespace mrascheck::render {

/// What `issuers` shows: every group with all members, their places, and the word of `plan` on who may go.
std::string issuers(const Evidence& evidence, const std::vector<IssuerGroup>& groups, const CleanupPlan& plan,
                    const Options& options);

/// The proof, what could not be known, the steps, and the values that would go, as PEM.
std::string cleanup(const CleanupPlan& plan, const Options& options);

/// OpenLDAP wants certificates transferred as ";binary" (RFC 4523); Active Directory knows the plain attribute.
enum class LdifDialect { openldap, active_directory };
enum class LdifWay { remove, undo };

/// RFC 2849: one change record an object, each deleting exactly the values that go, or adding them again. Objects that
/// are to be changed by hand stand as comments.
std::string cleanup_ldif(const CleanupPlan& plan, LdifDialect dialect, LdifWay way);

}  // namespace mrascheck::render
