// Wingmirror · Apache-2.0

import Logging
import PacketCapture
import ServiceLifecycle

/// Writes records on a thread of its own, until the capture has ended and all of them are written.
struct RecordService: Service {
    /// The records that wait.
    let queue: RecordQueue
    /// The file they go to, or `-`.
    let path: String
    /// Where a failure is logged.
    let logger: Logger

    func run() async throws {
        let (done, finish) = AsyncStream.makeStream(of: Never.self)
        let output: OctetOutput
        do throws(OctetOutput.Failure) {
            output = try OctetOutput.open(path)
        } catch {
            throw CommandFailure(.failed, "records: \(error.reason)")
        }
        let handedOver = Handover(output)
        do throws(CaptureError) {
            _ = try CaptureThread.start(name: "records") { [queue, logger] in
                if let output = handedOver.take() {
                    queue.write(to: output) { failure in
                        logger.error("records cannot be written any more", metadata: ["reason": "\(failure.reason)"])
                    }
                }
                finish.finish()
            }
        } catch {
            throw CommandFailure(error)
        }
        await withGracefulShutdownHandler {
            for await _ in done {}
        } onGracefulShutdown: {
            queue.close()
        }
    }
}
