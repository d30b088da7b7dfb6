// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/drawing.hpp"
#include "render/render.hpp"

namespace mrascheck::render {

/// Every name with its certificates, who may have issued each, where each stands; then every path between the servers,
/// with what is wrong with it and what two engines would make of it.
std::string graph(const Drawing& drawing, const Options& options);

/// The same certificates and arcs in the DOT language of Graphviz; twins of a name in red. A verified arc is solid, one
/// that was not tried dashed; one whose signature is wrong is dotted and holds nothing in place.
std::string graph_dot(const Drawing& drawing);

}  // namespace mrascheck::render
