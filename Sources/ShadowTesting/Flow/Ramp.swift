// Wingmirror · Apache-2.0

import OctetText

/// Lets the share that is sent to a target grow by steps, each of which must stay healthy for a while.
///
/// A step is passed when the hold time is over, the target has answered within it, and nothing unhealthy happened. What is
/// unhealthy sends the ramp back to the step before, and its hold time begins anew.
struct Ramp: Sendable, Hashable {
    private let settings: RampSettings
    /// The place of the step among those of the settings; their count once all are passed.
    private(set) var step = 0
    private var stepStart: Int64?
    private var hasAnswers = false

    /// Makes a ramp at its first step.
    init(_ settings: RampSettings) {
        self.settings = settings
    }

    /// The share of the policy's share that is sent at this step, 0 to 1.
    var share: Double {
        step < settings.steps.count ? min(max(settings.steps[step], 0), 1) : 1
    }

    /// The target answered; takes the next step when it is time for it.
    mutating func answerArrived(now: Int64) {
        hasAnswers = true
        timePassed(now: now)
    }

    /// Takes the next step when it is time for it.
    mutating func timePassed(now: Int64) {
        guard step < settings.steps.count else { return }
        guard let start = stepStart else {
            stepStart = now
            return
        }
        guard hasAnswers, now >= start.advanced(by: settings.hold) else { return }
        enter(step + 1, now: now)
    }

    /// The target did badly.
    mutating func becameUnhealthy(now: Int64) {
        guard !settings.steps.isEmpty else { return }
        enter(max(step - 1, 0), now: now)
    }

    private mutating func enter(_ next: Int, now: Int64) {
        step = next
        stepStart = now
        hasAnswers = false
    }
}
