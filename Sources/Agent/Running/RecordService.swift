// Wingmirror · Apache-2.0

import Logging
import PacketCapture
import ServiceLifecycle

/// Writes records on a thread of its own, until the capture has ended and all of them are written.
struct RecordService: Service {
    /// The records that wait.
    private let queue: RecordQueue
    /// The file they go to, or `-`.
    private let path: String
    /// The open file, until the thread that writes takes it.
    private let output: Handover<OctetOutput>
    /// Where a failure is logged.
    private let logger: Logger

    /// Opens the file, before anything else is started.
    ///
    /// - Throws: `CommandFailure` when it cannot be opened.
    init(queue: RecordQueue, path: String, logger: Logger) throws(CommandFailure) {
        self.queue = queue
        self.path = path
        self.logger = logger
        do throws(OctetOutput.Failure) {
            output = Handover(try OctetOutput.open(path))
        } catch {
            throw CommandFailure(.failed, "records: \(error.reason)")
        }
    }

    /// Writes until the group shuts down.
    ///
    /// - Throws: `CommandFailure` at the end, when records could not be written; a reader of a pipe may go.
    func run() async throws {
        let (failures, report) = AsyncStream.makeStream(of: OctetOutput.Failure.self)
        do throws(CaptureError) {
            _ = try CaptureThread.start(name: "records") { [queue, logger, path, output] in
                if let output = output.take() {
                    queue.write(to: output) { failure in
                        logger.error(
                            "records cannot be written any more",
                            metadata: ["file": "\(path)", "reason": "\(failure.reason)"]
                        )
                        report.yield(failure)
                    }
                }
                report.finish()
            }
        } catch {
            throw CommandFailure(error)
        }
        var failure: OctetOutput.Failure?
        await withGracefulShutdownHandler {
            for await first in failures { failure = first }
        } onGracefulShutdown: {
            queue.close()
        }
        if queue.droppedByFullQueue > 0 {
            logger.warning(
                "records dropped, as they could not be written fast enough",
                metadata: ["file": "\(path)", "records": "\(queue.droppedByFullQueue)"]
            )
        }
        if case .failed(let reason) = failure {
            throw CommandFailure(.failed, "records: \(path): \(reason)")
        }
    }
}
