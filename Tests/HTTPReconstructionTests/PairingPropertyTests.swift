// Wingmirror · Apache-2.0

import HTTPReconstruction
import TCPReassembly
import Testing

/// Random conversations with random holes, of which it is known which response answers which request.
@Suite struct PairingPropertyTests {
    @Test func `a client that waits for its answers is never given a wrong one`() {
        var tally = Tally()
        for seed in 0..<600 {
            var dialogue = Dialogue(seed: UInt64(seed))
            dialogue.run(messages: 14, window: 1)
            tally.check(dialogue, sawHandshake: true)
        }
        #expect(tally.mistakes == [])
        // The test would be idle if nothing were lost, or if nothing were paired again.
        #expect(tally.holes > 1500)
        #expect(tally.inferred > 200)
        #expect(tally.paired * 10 > tally.pairable * 8)
    }

    @Test func `joining a connection midstream leads to no wrong pair`() {
        var tally = Tally()
        for seed in 0..<400 {
            var dialogue = Dialogue(seed: UInt64(seed) + 1_000_000)
            dialogue.run(messages: 12, window: 1)
            dialogue.forgetBeginning()
            tally.check(dialogue, sawHandshake: false)
        }
        #expect(tally.mistakes == [])
        #expect(tally.paired > 800)
    }

    @Test(arguments: [2, 3, 8])
    func `a client that pipelines is never given a wrong answer once its pipelining was seen`(window: Int) {
        var tally = Tally()
        for seed in 0..<400 {
            var dialogue = Dialogue(seed: UInt64(seed) + 2_000_000)
            dialogue.run(messages: 16, window: window, lossless: 2)
            tally.check(dialogue, sawHandshake: true)
        }
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

    mutating func check(_ dialogue: Dialogue, sawHandshake: Bool) {
        let record = Conversation(dialogue.events, sawHandshake: sawHandshake).read()
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
    let seed: UInt64
    private var generator: SeededGenerator
    private(set) var events: [Conversation.Event] = []
    private(set) var truth: [String: (interim: [Int], request: [UInt8], response: [UInt8])] = [:]
    private(set) var holes = 0
    private var lostHeads: Set<String> = []
    private var sent: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]
    private var acknowledged: [StreamDirection: Int64] = [.fromOriginator: 0, .fromResponder: 0]

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    var pairable: Int { truth.keys.count { !lostHeads.contains($0) } }

    /// Makes up what both ends say.
    ///
    /// - Parameters:
    ///   - messages: How many requests the client sends.
    ///   - window: How many requests the client sends before it waits for an answer.
    ///   - lossless: So many messages at the beginning are captured for certain.
    mutating func run(messages: Int, window: Int, lossless: Int = 0) {
        var waiting: [(path: String, isHead: Bool, end: Int64)] = []
        var responseEnds: [Int64] = []
        var asked = 0
        while asked < messages || !waiting.isEmpty {
            let mayAsk = asked < messages && waiting.count < window
            if mayAsk, waiting.isEmpty || generator.oneIn(2) || asked < lossless {
                let path = "/\(asked)"
                // A client that waits has received what it waited for; more may be on its way.
                let received = asked < window ? 0 : responseEnds[asked - window]
                let isHead = request(path, received: received, mayLose: asked >= lossless)
                waiting.append((path, isHead, sent[.fromOriginator, default: 0]))
                asked += 1
            } else {
                let next = waiting.removeFirst()
                respond(to: next.path, isHead: next.isHead, received: next.end)
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
            case .ends, .closes: break
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

    private mutating func respond(to path: String, isHead: Bool, received: Int64) {
        while generator.oneIn(6) {
            let status = generator.oneIn(2) ? 102 : 103
            truth[path]?.interim.append(status)
            send(Array("HTTP/1.1 \(status) Wait\r\nX: 1\r\n\r\n".utf8), path, .fromResponder, received, mayLose: true)
        }
        let status = [200, 200, 404, 204, 304].randomElement(using: &generator) ?? 200
        let isBodiless = isHead || status == 204 || status == 304
        let content = isBodiless ? [] : randomContent()
        truth[path]?.response = content
        var head = "HTTP/1.1 \(status) Reason\r\nX-Answers: \(path)\r\n"
        if isHead, generator.oneIn(2) { head += "Content-Length: 77\r\n" }
        send(message(head, content, isBodiless: isBodiless), path, .fromResponder, received, mayLose: true)
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
