// Wingmirror · Apache-2.0

import AnswerComparison
import MirrorDispatch
import ShadowTesting
import TrafficModel

/// Sends the requests of a replay; small enough to stand in for in tests.
protocol ReplayClient: Sendable {
    /// Sends a request and waits for its answer; a cancelled task gets `.failure(.cancelled)` soon.
    func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure>
}

/// Sends to a real target.
struct TargetReplayClient: ReplayClient {
    let client: TargetClient
    /// How much of an answer is kept for comparing.
    let keptOctets: Int

    func answer(to request: ShadowRequest) async -> Result<RecordedResponse, ShadowFailure> {
        await client.send(request, keeping: keptOctets).result
    }
}
