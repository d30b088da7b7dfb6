// SPDX-License-Identifier: Apache-2.0
#include "run/door.hpp"

extern "C" [[gnu::visibility("default")]] const mrascheck::run::Door mrascheck_run_door;
constinit const mrascheck::run::Door mrascheck_run_door{mrascheck::run::collect, mrascheck::run::try_identity,
                                                        mrascheck::run::read_recordings,
                                                        mrascheck::run::complete_proofs, mrascheck::run::rehearse};
