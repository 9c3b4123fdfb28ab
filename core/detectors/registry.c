/*
 * All families of findings. Their order is the order in which they hear an event.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

extern const WslDetectorType wsl_detector_upgrade, wsl_detector_nonces, wsl_detector_violations, wsl_detector_masking,
    wsl_detector_endings, wsl_detector_capture;

const WslDetectorType *const wsl_detector_types[] = {
    &wsl_detector_upgrade, &wsl_detector_nonces,  &wsl_detector_violations,
    &wsl_detector_masking, &wsl_detector_endings, &wsl_detector_capture,
};

const size_t wsl_detector_type_count = sizeof wsl_detector_types / sizeof *wsl_detector_types;
