// Wingmirror · Apache-2.0

import FoundationEssentials
import Glibc
import Logging
import Testing

@testable import Agent
@testable import AgentConfiguration

@Suite struct LogLineTests {
    private let line = LogLine(
        time: 1_795_406_760_123_456_789,
        level: .warning,
        label: "capture",
        message: "an interface went down",
        metadata: [("interface", "eth0"), ("level", "x"), ("reason", "a \"b\"\n\u{1B}c\\")]
    )

    @Test func `a JSON line is one object with time, level, logger, message and metadata`() throws {
        #expect(line.json.hasSuffix("}\n"))
        #expect(line.json.dropLast().allSatisfy { $0 != "\n" })
        let object = try JSONDecoder().decode([String: String].self, from: Data(line.json.utf8))
        #expect(
            object == [
                "time": "2026-11-23T04:06:00.123Z", "level": "warning", "logger": "capture",
                "message": "an interface went down", "interface": "eth0", "level_": "x", "reason": "a \"b\"\n\u{1B}c\\",
            ]
        )
    }

    @Test func `a text line has the message, then keys and values, quoted where needed`() {
        #expect(
            line.text
                == "2026-11-23T04:06:00.123Z warning  an interface went down interface=eth0 level=x reason=\"a \\\"b\\\"\\n\\u001bc\\\\\"\n"
        )
    }
}

@Suite(.timeLimit(.minutes(20))) struct LogSettingsTests {
    /// The lines that are in a pipe now.
    private static func lines(in pipe: Int32) -> [String] {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&waiting, 1, 0) > 0 {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(pipe, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        #expect(text.last == 0x0A)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `a log that nobody reads keeps nobody waiting, and what was lost is counted`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let settings = LogSettings(LogConfiguration(level: .info, format: .json), descriptor: ends[1])
        let text = String(repeating: "x", count: 1_000)
        let line = LogLine(time: 0, level: .info, label: "test", message: text, metadata: [])
        // More than a pipe holds.
        for _ in 0..<500 { settings.write(line) }
        let kept = Self.lines(in: ends[0])
        #expect((1..<500).contains(kept.count))
        #expect(kept.allSatisfy { "\($0)\n" == line.json })
        settings.write(line)
        let later = Self.lines(in: ends[0])
        try #require(later.count == 2)
        #expect(later[0].contains("\"count\":\"\(500 - kept.count)\""))
        #expect("\(later[1])\n" == line.json)
    }

    @Test func `lines are counted by level and a reload reaches existing loggers`() {
        let settings = LogSettings(LogConfiguration(level: .critical, format: .json))
        let logger = settings.logger("test")
        #expect(logger.logLevel == .critical)
        settings.replace(LogConfiguration(level: .error, format: .text))
        #expect(logger.logLevel == .error)
        logger.info("not written")
        #expect(settings.messageCounts.allSatisfy { $0.count == 0 })
        settings.count(.error)
        settings.count(.error)
        #expect(settings.messageCounts.first { $0.level == .error }?.count == 2)
        #expect(settings.messageCounts.count == Logger.Level.allCases.count)
    }

    @Test func `one logger can have a level of its own`() {
        let settings = LogSettings(LogConfiguration(level: .error, format: .json))
        var one = settings.logger("one")
        one.logLevel = .trace
        #expect(settings.logger("two").logLevel == .error)
        #expect(settings.level == .error)
    }
}

@Suite struct EscapedTextTests {
    @Test(arguments: [
        ("plain text, äöü, 漢字", "plain text, äöü, 漢字"), ("a\nwingmirror: forged", "a\\u{a}wingmirror: forged"),
        ("\u{1B}[2Jgone", "\\u{1b}[2Jgone"), ("\u{9B}1m", "\\u{9b}1m"), ("abc\u{202E}cba", "abc\\u{202e}cba"), ("", ""),
    ])
    func `what others named cannot forge lines or command a terminal`(text: String, escaped: String) {
        #expect(text.escapingControls == escaped)
    }
}
