// Wingmirror · Apache-2.0

import HTTPReconstruction
import OctetText
import TCPReassembly
import Testing

/// Random conversations with random holes, of which it is known which response answers which request.
@Suite struct PairingPropertyTests {
    @Test func `a client that waits for its answers is never given a wrong one`() {
        let tally = Tally(of: .waits, dialogues: 600)
        #expect(tally.mistakes == [])
        // The test would be idle if nothing were lost, or if nothing were paired again.
        #expect(tally.holes > 1500)
        #expect(tally.inferred > 200)
        #expect(tally.paired * 10 > tally.pairable * 8)
    }

    @Test func `joining a connection midstream leads to no wrong pair`() {
        let tally = Tally(of: .waits, dialogues: 400, joinsMidstream: true)
        #expect(tally.mistakes == [])
        #expect(tally.paired > 800)
    }

    @Test(arguments: [2, 3, 8])
    func `a client that pipelines in rounds is never given a wrong answer once that was seen`(window: Int) {
        let tally = Tally(of: .pipelinesInRounds(of: window), dialogues: 400)
        #expect(tally.mistakes == [])
        #expect(tally.holes > 800)
        #expect(tally.paired > 800)
    }

    @Test(arguments: [2, 3, 8])
    func `a client that keeps several requests open is never given a wrong answer once that was seen`(window: Int) {
        let tally = Tally(of: .keepsOpen(window), dialogues: 400)
        #expect(tally.mistakes == [])
        #expect(tally.holes > 800)
        #expect(tally.paired > 800)
    }
}

/// Sums up what was told of many dialogues.
private struct Tally {
    var mistakes: [String] = []
    var holes = 0
    var inferred = 0
    var paired = 0
    /// Exchanges both of whose heads were captured whole.
    var pairable = 0

    /// Reads as many random dialogues of one kind of client.
    init(of client: Dialogue.Client, dialogues: Int, joinsMidstream: Bool = false) {
        for seed in 0..<dialogues {
            var dialogue = Dialogue(client, seed: UInt64(seed))
            dialogue.run()
            if joinsMidstream { dialogue.forgetBeginning() }
            check(dialogue, sawHandshake: !joinsMidstream)
        }
    }

    private mutating func check(_ dialogue: Dialogue, sawHandshake: Bool) {
        let record = Conversation(dialogue.events, sawHandshake: sawHandshake).record()
        holes += dialogue.holes
        pairable += dialogue.pairable
        var found = record.complaints
        for exchange in record.exchanges {
            let asked = exchange.request?.target
            let answered = exchange.response?.value(of: "x-answers")
            if let asked, let answered {
                paired += 1
                if exchange.integrity.contains(.pairedByInference) { inferred += 1 }
                if asked != answered { found.append("\(asked) was paired with the answer to \(answered)") }
            }
            if exchange.integrity.isEmpty, let asked, let truth = dialogue.truth[asked] {
                if truth.interim != exchange.interim {
                    found.append("\(exchange) lacks interim responses \(truth.interim)")
                }
                if truth.request != exchange.request?.content { found.append("\(exchange) has other request content") }
                if truth.response != exchange.response?.content {
                    found.append("\(exchange) has other response content")
                }
            }
        }
        let requests = record.exchanges.compactMap { $0.request?.target }
        let responses = record.exchanges.compactMap { $0.response?.value(of: "x-answers") }
        if Set(requests).count != requests.count { found.append("a request was told twice") }
        if Set(responses).count != responses.count { found.append("a response was told twice") }
        if !found.isEmpty, mistakes.count < 5 {
            mistakes.append("seed \(dialogue.seed): \(found) in \(record.lines)")
        }
    }
}

/// A client and a server that exchange numbered messages over a lossy capture.
private struct Dialogue {
    let client: Client
    let seed: UInt64
    private var generator: SeededGenerator
    private(set) var events: [Conversation.Event] = []
    private(set) var truth: [String: (interim: [Int], request: [UInt8], response: [UInt8])] = [:]
    private(set) var holes = 0
    private var lostHeads: Set<String> = []
    private var sent: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]
    private var acknowledged: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]

    /// When a client sends its requests.
    enum Client {
        /// One at a time.
        case waits
        /// So many at once, and the next when all are answered.
        case pipelinesInRounds(of: Int)
        /// The next as soon as fewer than so many are open.
        case keepsOpen(Int)
    }

    init(_ client: Client, seed: UInt64) {
        self.client = client
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    var pairable: Int { truth.keys.count { !lostHeads.contains($0) } }

    /// Makes up what both ends say.
    mutating func run() {
        let window =
            switch client {
            case .waits: 1
            case .pipelinesInRounds(let count), .keepsOpen(let count): count
            }
        // A client that pipelines shows it before anything is lost.
        let lossless = window > 1 ? 2 * window + 1 : 0
        var waiting: [(path: String, isHead: Bool, end: Int64)] = []
        var responseEnds: [Int64] = []
        var asked = 0
        var isSending = true
        while asked < lossless + 14 || !waiting.isEmpty {
            if waiting.isEmpty { isSending = true }
            if waiting.count == window || asked == lossless + 14 { isSending = false }
            if case .keepsOpen = client, waiting.count < window, asked < lossless + 14 { isSending = true }
            if isSending {
                let path = "/\(asked)"
                // What the client waited for it has received; more may be on its way.
                let answers = if case .pipelinesInRounds = client { asked - waiting.count } else { asked + 1 - window }
                let received = answers > 0 ? responseEnds[answers - 1] : 0
                let isHead = request(path, received: received, mayLose: asked >= lossless)
                waiting.append((path, isHead, sent[.fromOriginator, default: 0]))
                asked += 1
            } else {
                let next = waiting.removeFirst()
                respond(to: next.path, isHead: next.isHead, received: next.end, mayLose: asked >= lossless)
                responseEnds.append(sent[.fromResponder, default: 0])
            }
        }
    }

    /// Drops some of the first events, as if the capture had begun later.
    mutating func forgetBeginning() {
        let forgotten = Int.random(in: 1..<events.count / 2, using: &generator)
        var gone: [StreamDirection: Int64] = [:]
        for event in events.prefix(forgotten) {
            switch event {
            case .octets(let direction, let octets, _): gone[direction, default: 0] += Int64(octets.count)
            case .missing(let direction, let count, _): gone[direction, default: 0] += Int64(count)
            case .passes, .ends, .closes: break
            }
        }
        // Offsets count from what was expected when the connection was joined.
        events = events.dropFirst(forgotten).map { event in
            guard case .octets(let direction, let octets, let acknowledging?) = event else { return event }
            return .octets(direction, octets, acknowledging: acknowledging - gone[direction.reversed, default: 0])
        }
    }

    private mutating func request(_ path: String, received: Int64, mayLose: Bool) -> Bool {
        let method = ["GET", "HEAD", "POST", "PUT"].randomElement(using: &generator) ?? "GET"
        let content = method == "POST" || method == "PUT" ? randomContent() : []
        let head = "\(method) \(path) HTTP/1.1\r\nHost: h\r\n"
        truth[path] = ([], content, [])
        send(message(head, content, isBodiless: content.isEmpty), path, .fromOriginator, received, mayLose: mayLose)
        return method == "HEAD"
    }

    private mutating func respond(to path: String, isHead: Bool, received: Int64, mayLose: Bool) {
        while generator.oneIn(6) {
            let status = generator.oneIn(2) ? 102 : 103
            truth[path]?.interim.append(status)
            send(
                Array("HTTP/1.1 \(status) Wait\r\nX: 1\r\n\r\n".utf8),
                path,
                .fromResponder,
                received,
                mayLose: mayLose
            )
        }
        let status = [200, 200, 404, 204, 304].randomElement(using: &generator) ?? 200
        let isBodiless = isHead || status == 204 || status == 304
        let content = isBodiless ? [] : randomContent()
        truth[path]?.response = content
        var head = "HTTP/1.1 \(status) Reason\r\nX-Answers: \(path)\r\n"
        if isHead, generator.oneIn(2) { head += "Content-Length: 77\r\n" }
        send(message(head, content, isBodiless: isBodiless), path, .fromResponder, received, mayLose: mayLose)
    }

    private mutating func randomContent() -> [UInt8] {
        let quoted = ["GET /quoted HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "0\r\n\r\n", "text\r\n"]
        var content: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<4, using: &generator) {
            content +=
                Array("some content, ".utf8) + Array((quoted.randomElement(using: &generator) ?? "").utf8) + [0x2E]
        }
        return content
    }

    private mutating func message(_ head: String, _ content: [UInt8], isBodiless: Bool) -> [UInt8] {
        if isBodiless { return Array((head + (head.hasPrefix("HTTP") ? "" : "Content-Length: 0\r\n") + "\r\n").utf8) }
        if generator.oneIn(2) { return Array((head + "Content-Length: \(content.count)\r\n\r\n").utf8) + content }
        var octets = Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8)
        var rest = content[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(Int.random(in: 1...40, using: &generator))
            octets += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [0x0D, 0x0A]
            rest = rest.dropFirst(chunk.count)
        }
        return octets + Array("0\r\n\r\n".utf8)
    }

    /// Cuts a message into segments, and loses some of them.
    private mutating func send(
        _ octets: [UInt8],
        _ path: String,
        _ direction: StreamDirection,
        _ received: Int64,
        mayLose: Bool
    ) {
        // The end has received at least what made it speak, at most what was sent, and never less than before.
        let least = max(received, acknowledged[direction, default: 0])
        let most = sent[direction.reversed, default: 0]
        let acknowledges = generator.oneIn(2) ? most : Int64.random(in: least...most, using: &generator)
        acknowledged[direction] = acknowledges
        let headEnd = octets.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0
        var start = 0
        while start < octets.count {
            let count =
                generator.oneIn(3) ? Int.random(in: 1...octets.count - start, using: &generator) : octets.count - start
            if mayLose, generator.oneIn(6) {
                events.append(.missing(direction, count, .captureLoss))
                holes += 1
                if start < headEnd { lostHeads.insert(path) }
            } else {
                events.append(
                    .octets(direction, Array(octets[start..<start + count]), acknowledging: acknowledges)
                )
            }
            start += count
        }
        sent[direction, default: 0] += Int64(octets.count)
    }
}
