// Wingmirror · Apache-2.0
// gRPC over HTTP/2: PROTOCOL-HTTP2.md of grpc/grpc; RFC 9113 §8.

internal import AnswerComparison
import NIOCore
import NIOHPACK
import NIOHTTP2
import ShadowTesting
import TrafficModel

/// One gRPC call on its stream: sends the request, and reads the answer up to the end of its trailers.
final class Call: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// How much of an answer is read, and kept.
    struct Settings: Sendable {
        let keptOctets: Int
        let answerOctets: Int64
    }

    private let request: ShadowRequest
    private let target: MirrorTarget
    private let settings: Settings
    private let budget: AnswerBudget
    private let progress: AnswerProgress
    private let connection: OpenConnection
    private let promise: EventLoopPromise<RecordedResponse>

    private var head: HPACKHeaders?
    private var content: [UInt8] = []
    private var octets: Int64 = 0
    private var reserved = 0
    private var hasEnded = false

    init(
        _ request: ShadowRequest,
        to target: MirrorTarget,
        _ settings: Settings,
        _ budget: AnswerBudget,
        _ progress: AnswerProgress,
        on connection: OpenConnection,
        _ promise: EventLoopPromise<RecordedResponse>
    ) {
        self.request = request
        self.target = target
        self.settings = settings
        self.budget = budget
        self.progress = progress
        self.connection = connection
        self.promise = promise
    }

    /// Nobody waits for the answer any more.
    func givenUp() {
        hasEnded = true
        budget.release(reserved)
        reserved = 0
    }

    // MARK: - Sending

    func channelActive(context: ChannelHandlerContext) {
        let isEmpty = request.content.isEmpty
        let head = HTTP2Frame.FramePayload.Headers(headers: headers, endStream: isEmpty)
        context.write(wrapOutboundOut(.headers(head)), promise: nil)
        if !isEmpty {
            let data = IOData.byteBuffer(ByteBuffer(bytes: request.content))
            context.write(
                wrapOutboundOut(.data(HTTP2Frame.FramePayload.Data(data: data, endStream: true))),
                promise: nil
            )
        }
        context.flush()
        context.fireChannelActive()
    }

    /// The field section: what HTTP/1 says in the request line and in Host are pseudo-header fields (RFC 9113 §8.3.1).
    private var headers: HPACKHeaders {
        var headers = HPACKHeaders()
        headers.add(name: ":method", value: request.method)
        headers.add(name: ":scheme", value: target.usesTLS ? "https" : "http")
        headers.add(name: ":authority", value: request.firstValue(of: "host") ?? target.authority)
        headers.add(name: ":path", value: RequestTargetText.encoded(request.target))
        for field in request.fields {
            let name = field.name.lowercased()
            if name != "host" { headers.add(name: name, value: field.value) }
        }
        return headers
    }

    // MARK: - Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let section):
            let isInterim = section.headers.first(name: ":status")?.hasPrefix("1") ?? false
            if head != nil {
                if section.endStream { ended(trailers: section.headers) }
            } else if !isInterim {
                head = section.headers
                progress.headArrived()
                if section.endStream { ended(trailers: HPACKHeaders()) }
            }
        case .data(let part):
            guard case .byteBuffer(let buffer) = part.data else { return }
            keep(buffer)
            if part.endStream { ended(trailers: HPACKHeaders()) }
        default: break
        }
    }

    private func keep(_ buffer: ByteBuffer) {
        octets += Int64(buffer.readableBytes)
        // Its status comes last, so that what was read says nothing.
        guard octets <= settings.answerOctets else { return failed(ShadowFailure.cancelled) }
        // Once octets are missing, later ones are of no use either.
        guard !hasEnded, octets - Int64(buffer.readableBytes) == content.count else { return }
        let wanted = min(buffer.readableBytes, settings.keptOctets - content.count)
        let kept = budget.reserve(wanted)
        reserved += kept
        guard kept == wanted else { return failed(ShadowFailure.cancelled) }
        content += buffer.readableBytesView.prefix(kept)
    }

    private func ended(trailers: HPACKHeaders) {
        guard !hasEnded else { return }
        guard let head, let status = head.first(name: ":status").flatMap({ Int($0) }) else {
            return failed(ShadowFailure.malformed)
        }
        hasEnded = true
        var message = RecordedMessage(fields: Self.fields(head), content: content, contentOctets: octets)
        message.trailers = Self.fields(trailers)
        promise.succeed(RecordedResponse(status: status, message: message))
    }

    private static func fields(_ section: HPACKHeaders) -> [RecordedField] {
        section.compactMap { name, value, _ in name.hasPrefix(":") ? nil : RecordedField(name: name, value: value) }
    }

    private func failed(_ error: any Error) {
        guard !hasEnded else { return }
        // Releases what was reserved, and closes the stream.
        promise.fail(error)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failed(connection.error ?? error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failed(connection.error ?? ShadowFailure.reset)
        context.fireChannelInactive()
    }
}
