// Wingmirror · Apache-2.0

import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import Agent

/// The end of an agent.
@Suite(.timeLimit(.minutes(20)))
struct ShutdownTests {
    /// A service that goes on until it is to end.
    private struct Lasting: Service {
        let end: End

        func run() async throws {
            try await gracefulShutdown()
            end.wasTold.store(true, ordering: .relaxed)
        }
    }

    private final class End: Sendable {
        let wasTold = Atomic<Bool>(false)
    }

    @Test(arguments: [true, false])
    func `a signal ends the services, also one that came before they were there`(isEarly: Bool) async throws {
        let deadline = ShutdownDeadline()
        let lasting = Lasting(end: End())
        if isEarly { deadline.signalArrived() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: lasting),
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
        // Told to, and not cut off by the group's end.
        let wasTold = lasting.end.wasTold.load(ordering: .relaxed)
        #expect(wasTold)
    }
}
