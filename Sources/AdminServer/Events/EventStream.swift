// Wingmirror · Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The response that keeps a page informed until it goes, or the agent does.
struct EventStream {
    /// What the response says it is.
    static let mediaType = "text/event-stream"

    /// The page's place among those that are told.
    let listener: EventBoard.Listener

    /// The response, which ends when the agent shuts down.
    var response: Response {
        Response(
            status: .ok,
            headers: [.contentType: Self.mediaType, .cacheControl: "no-store"],
            body: ResponseBody { [listener] writer in
                try await writer.write(ByteBuffer(bytes: ServerSentEvent.retry))
                for await event in listener.events.cancelOnGracefulShutdown() {
                    try await writer.write(event)
                }
                try await writer.finish(nil)
            }
        )
    }
}
