// Wingmirror · Apache-2.0

import Logging
import ServiceLifecycle
import Testing

@testable import Agent

/// The end of an agent.
@Suite(.timeLimit(.minutes(20)))
struct ShutdownTests {
    /// A service that goes on until it is to end.
    private struct Lasting: Service {
        func run() async throws { try await gracefulShutdown() }
    }

    @Test(arguments: [true, false])
    func `a signal ends the services, also one that came before they were there`(isEarly: Bool) async throws {
        let deadline = ShutdownDeadline()
        if isEarly { deadline.signalArrived() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: Lasting()),
                    .init(
                        service: ShutdownService(deadline: deadline),
                        successTerminationBehavior: .gracefullyShutdownGroup
                    ),
                ],
                logger: Logger(label: "test")
            )
        )
        async let end: Void = group.run()
        if !isEarly { deadline.signalArrived() }
        try await end
    }
}
