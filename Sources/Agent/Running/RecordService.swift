// Wingmirror · Apache-2.0

import AgentConfiguration
import Logging
import PacketCapture
import ServiceLifecycle

/// Writes records on a thread of its own, until the capture has ended and all of them are written.
struct RecordService: Service {
    /// The records that wait.
    let queue: RecordQueue
    /// Where they go.
    let configuration: RecordsConfiguration
    /// Where a failure is logged.
    let logger: Logger

    /// Writes until the group shuts down.
    ///
    /// - Throws: `CommandFailure` when the file cannot be opened, and at the end when records are missing in it; a reader of
    ///   standard output may go.
    func run() async throws {
        let path = configuration.file
        let (endings, report) = AsyncStream.makeStream(of: Result<Bool, CommandFailure>.self)
        let handover = Handover(RecordWriter(queue, path: path, rotation: configuration.rotation, logger: logger))
        do throws(CaptureError) {
            _ = try CaptureThread.start(name: "records") {
                guard var writer = handover.take() else { return }
                do throws(CommandFailure) {
                    try writer.open()
                    writer.run()
                    report.yield(.success(writer.isUnwanted))
                } catch {
                    report.yield(.failure(error))
                }
                report.finish()
            }
        } catch {
            throw CommandFailure(error)
        }
        var isUnwanted = false
        try await withGracefulShutdownHandler {
            for await ending in endings { isUnwanted = try ending.get() }
        } onGracefulShutdown: { [queue] in
            queue.close()
        }
        if !isUnwanted, let loss = queue.ledger.lossText {
            throw CommandFailure(.failed, "records: \(path): \(loss)")
        }
    }
}
