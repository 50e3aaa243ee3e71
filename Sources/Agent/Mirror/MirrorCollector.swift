// Wingmirror · Apache-2.0

import AnswerComparison
import ShadowTesting
import TrafficMetrics
import TrafficModel

/// Supplies what mirroring counts and what it has found out; nothing while there has never been a plan.
struct MirrorCollector: MetricCollector {
    /// Where everything about copies is counted.
    let queue: MirrorQueue
    /// The verdicts so far.
    let verdicts: @Sendable () -> [RouteVerdict]
    /// Keys whose vote was forgotten before its window ended.
    let forgottenVotes: @Sendable () -> UInt64
    /// Sampled requests of routes for which there was no room.
    let unjudged: @Sendable () -> UInt64

    func collect(into samples: inout SampleCollection) {
        let figures = queue.figures(now: WallClock.now())
        guard !figures.lanes.isEmpty else { return }
        for reason in PauseReason.allCases {
            let isPaused = figures.pauseReasons.contains(reason)
            samples.set(MetricCatalogue.mirrorPaused, [reason.rawValue], isPaused ? 1 : 0)
        }
        for lane in figures.lanes { collect(lane, into: &samples) }
        for target in figures.targets { collect(target, into: &samples) }
        for verdict in verdicts() { collect(verdict, into: &samples) }
        samples.count(MetricCatalogue.mirrorForgottenVotes, [], forgottenVotes())
        samples.count(MetricCatalogue.mirrorUnjudged, [], unjudged())
    }

    // MARK: - Lanes

    private func collect(_ figures: LaneFigures, into samples: inout SampleCollection) {
        let lane = [figures.lane.policy, figures.lane.target]
        samples.count(MetricCatalogue.mirrorConsidered, lane, figures.considered)
        for reason in FilterReason.allCases {
            samples.count(MetricCatalogue.mirrorFiltered, lane + [reason.rawValue], figures.filtered[reason] ?? 0)
        }
        samples.count(MetricCatalogue.mirrorNotSampled, lane, figures.notSampled)
        for reason in DropReason.allCases {
            samples.count(MetricCatalogue.mirrorDropped, lane + [reason.rawValue], figures.dropped[reason] ?? 0)
        }
        samples.count(MetricCatalogue.mirrorSent, lane, figures.sent)
        samples.count(MetricCatalogue.mirrorRequests, lane + ["ok"], figures.answered)
        samples.count(MetricCatalogue.mirrorRepeats, lane + ["ok"], figures.repeatsAnswered)
        for failure in ShadowFailure.allCases {
            samples.count(MetricCatalogue.mirrorRequests, lane + [failure.rawValue], figures.failed[failure] ?? 0)
            samples.count(MetricCatalogue.mirrorRepeats, lane + [failure.rawValue], figures.repeatsFailed[failure] ?? 0)
        }
        samples.count(MetricCatalogue.mirrorSentAgain, lane, figures.sentAgain)
        samples.count(MetricCatalogue.mirrorRedactions, lane, figures.redactedValues)
        samples.set(MetricCatalogue.mirrorInFlight, lane, Double(figures.inFlight))
        samples.set(MetricCatalogue.mirrorQueueLength, lane, Double(figures.queued))
        samples.set(MetricCatalogue.mirrorSamplingRatio, lane, figures.samplingRatio)
        samples.set(MetricCatalogue.mirrorConfiguredRatio, lane, figures.configuredRatio)
    }

    // MARK: - Targets

    private func collect(_ figures: TargetFigures, into samples: inout SampleCollection) {
        let name = figures.name
        samples.count(MetricCatalogue.mirrorSentBytes, [name], figures.sentOctets)
        samples.set(MetricCatalogue.mirrorQueueCapacity, [name], Double(figures.queueCapacity))
        samples.set(MetricCatalogue.mirrorQueueBytes, [name], Double(figures.queuedOctets))
        samples.set(MetricCatalogue.mirrorBreakerOpen, [name], figures.breakerIsOpen ? 1 : 0)
        samples.histogram(MetricCatalogue.mirrorQueueWait, [name], figures.queueWait.histogram(in: .shadowDurations))
        samples.histogram(
            MetricCatalogue.mirrorBodySize,
            [name, "sent"],
            figures.sentSizes.histogram(in: .shadowSizes)
        )
        samples.histogram(
            MetricCatalogue.mirrorBodySize,
            [name, "dropped"],
            figures.droppedSizes.histogram(in: .shadowSizes)
        )
        for (route, durations) in figures.durations {
            samples.histogram(
                MetricCatalogue.mirrorRequestDuration,
                [name] + route.labelValues,
                durations.histogram(in: .shadowDurations)
            )
        }
    }

    // MARK: - Verdicts

    private func collect(_ verdict: RouteVerdict, into samples: inout SampleCollection) {
        let route = verdict.route.labelValues
        for word in ComparisonWord.allCases {
            samples.count(
                MetricCatalogue.mirrorComparisons,
                [verdict.lane.policy, verdict.lane.target] + route + [word.rawValue],
                verdict.comparisons[word] ?? 0
            )
        }
        let labels = [verdict.lane.policy, verdict.lane.target] + route
        for value in Verdict.allCases {
            samples.set(
                MetricCatalogue.mirrorVerdict,
                labels + [verdict.design.rawValue, value.rawValue],
                value == verdict.verdict ? 1 : 0
            )
        }
        samples.set(MetricCatalogue.mirrorVerdictPairs, labels, Double(verdict.pairs))
        samples.set(MetricCatalogue.mirrorVerdictCoverage, labels, verdict.coverage)
        samples.set(MetricCatalogue.mirrorVerdictWorse, labels, Double(verdict.worsePairs))
        samples.set(MetricCatalogue.mirrorVerdictBetter, labels, Double(verdict.betterPairs))
        samples.set(MetricCatalogue.mirrorVerdictErrorsWorse, labels, Double(verdict.errors.worse))
        samples.set(MetricCatalogue.mirrorVerdictErrorsBetter, labels, Double(verdict.errors.better))
        samples.set(MetricCatalogue.mirrorVerdictErrorsLogEvidence, labels, verdict.errors.logEvidence)
        samples.set(MetricCatalogue.mirrorVerdictSince, labels, Double(verdict.since) / 1e9)
        if let recent = verdict.recent {
            for value in Verdict.allCases {
                samples.set(
                    MetricCatalogue.mirrorVerdictRecent,
                    labels + [value.rawValue],
                    value == recent.verdict ? 1 : 0
                )
            }
        }
        samples.set(MetricCatalogue.mirrorVerdictExcess, labels, verdict.excess)
        samples.set(MetricCatalogue.mirrorVerdictExcessLower, labels, verdict.excessLower)
        samples.set(MetricCatalogue.mirrorVerdictExcessUpper, labels, verdict.excessUpper)
        samples.set(MetricCatalogue.mirrorVerdictLogEvidence, labels, verdict.logEvidence)
        if let noise = verdict.noiseFloor {
            samples.set(MetricCatalogue.mirrorVerdictNoiseFloor, labels, noise)
        }
    }
}

extension RouteName {
    /// The values of the labels that name a route.
    fileprivate var labelValues: [String] { [virtualServiceNamespace, virtualService, route] }
}

extension BucketCounts {
    /// The counts as metrics have them.
    fileprivate func histogram(in layout: HistogramLayout) -> HistogramSnapshot {
        HistogramSnapshot(counts: counts, sum: sum, in: layout)
    }
}

extension HistogramLayout {
    /// How durations of copies are shown: in classic buckets, and in native ones where those are read.
    fileprivate static let shadowDurations = durations(bounds: BucketCounts.durationBounds.map { UInt64($0) })
    /// How sizes of copies are shown.
    fileprivate static let shadowSizes = sizes(bounds: BucketCounts.sizeBounds.map { UInt64($0) })
}

extension MirrorQueue.Limits {
    /// Has the queue count in the cells from which both kinds of buckets are made.
    mutating func countForHistograms() {
        durationBounds = HistogramLayout.shadowDurations.cellBounds.map { Int64($0) }
        sizeBounds = HistogramLayout.shadowSizes.cellBounds.map { Int64($0) }
    }
}
