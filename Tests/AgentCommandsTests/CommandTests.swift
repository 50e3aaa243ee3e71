// Wingmirror · Apache-2.0

import ArgumentParser
import Logging
import RouteAttribution
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct CommandTests {
    private func read(_ arguments: String...) throws -> ReadPlan {
        let command = try #require(try Wingmirror.parseAsRoot(["read"] + arguments) as? ReadCommand)
        return try ReadPlan(command)
    }

    private func run(_ arguments: String...) throws -> RunPlan {
        let command = try #require(try Wingmirror.parseAsRoot(["run"] + arguments) as? RunCommand)
        return try RunPlan(command)
    }

    @Test func `options win over defaults`() throws {
        let plan = try read(
            "a.pcap",
            "-",
            "--output",
            "ndjson",
            "--fields",
            "--content",
            "4KiB",
            "--gateway-port",
            "8080:80",
            "--gateway-port",
            "9090",
            "--routes",
            "one",
            "--routes",
            "two",
            "--filter",
            "tcp",
            "--log-level",
            "debug"
        )
        #expect(plan.output == .ndjson)
        #expect(plan.configuration.capture.savefiles == ["a.pcap", "-"])
        #expect(plan.configuration.records.fields)
        #expect(plan.configuration.records.contentBytes == ByteSize(4096))
        #expect(plan.configuration.gateway.ports.map(\.pod) == [8080, 9090])
        #expect(plan.configuration.gateway.ports.map(\.server) == [80, 9090])
        #expect(plan.configuration.routes.files == ["one", "two"])
        #expect(plan.configuration.capture.filter == .expression("tcp"))
        #expect(plan.configuration.log.level == .debug)
    }

    @Test func `read prints a table and looks at ports 80 and 8080 unless told otherwise`() throws {
        let plan = try read("a.pcap")
        #expect(plan.output == .table)
        #expect(plan.configuration.gateway.ports.map(\.pod) == [80, 8080])
    }

    @Test func `read takes a number of jobs where other threads could have something to do`() throws {
        #expect(try read("a.pcap.gz").jobs == 1)
        #expect(try read("a.pcap.gz", "-", "--jobs", "8").jobs == 8)
        for jobs in ["0", "65"] {
            let found = problems { _ = try read("a.pcap.gz", "--jobs", jobs) }
            #expect(found == ["--jobs: expected a number from 1 to 64, found \(jobs)"])
        }
        #expect(problems { _ = try read("-", "--jobs", "2") }.count == 1)
        #expect(problems { _ = try read("-", "--jobs", "1") }.isEmpty)
    }

    @Test func `all mistakes among the options are reported`() {
        let found = problems {
            _ = try read(
                "--output",
                "xml",
                "--gateway-port",
                "x",
                "--log-level",
                "loud",
                "--content",
                "x"
            )
        }
        #expect(found.count == 5)
        for option in ["--output", "--gateway-port", "--log-level", "--content", "FILE"] {
            #expect(found.contains { $0.hasPrefix("\(option): ") }, "\(option)")
        }
    }

    @Test(arguments: ["har", "gor"])
    func `recordings have their fields anyway`(format: String) throws {
        #expect(try read("a.pcap", "--output", format, "--content", "1KiB").output.recording != nil)
        let found = problems { _ = try read("a.pcap", "--output", format, "--fields") }
        #expect(found == ["--fields: --output \(format) always has the headers"])
    }

    @Test func `record options without records are refused rather than ignored`() {
        #expect(problems { _ = try read("a.pcap", "--fields") } == ["--fields: only --output ndjson prints records"])
        #expect(
            problems { _ = try read("a.pcap", "--content", "1KiB") }
                == ["--content: only --output ndjson, gor and har hold content"]
        )
        #expect(problems { _ = try run("a.pcap", "--fields") } == ["--fields: needs --records, or records.file"])
    }

    @Test func `run takes interfaces or savefiles, not both and not neither`() throws {
        #expect(try run("--interface", "eth0", "-i", "lo").configuration.capture.interfaces == .named(["eth0", "lo"]))
        #expect(try run("--interface", "auto").configuration.capture.interfaces == .automatic)
        #expect(try run("a.pcap", "--once").endsAfterSavefiles)
        #expect(problems { _ = try run("a.pcap", "--interface", "lo") }.count == 1)
        #expect(problems { _ = try run() }.count == 1)
        #expect(
            problems { _ = try run("--interface", "lo", "--once") } == [
                "--once: needs pcap files; an interface has no end"
            ]
        )
    }

    @Test func `run takes pace, address and records from the command line`() throws {
        let plan = try run("a.pcap", "--pace", "realtime", "--listen", "127.0.0.1:0", "--records", "-", "--fields")
        #expect(plan.configuration.capture.pace == .realtime)
        #expect(plan.configuration.metrics.listen == ListenAddress(host: "127.0.0.1", port: 0))
        #expect(plan.configuration.records == RecordsConfiguration(file: "-", fields: true, contentBytes: ByteSize(0)))
        #expect(problems { _ = try run("a.pcap", "--pace", "slow", "--listen", "x") }.count == 2)
    }

    @Test func `pcap files begin again in real time, unless that makes no sense`() throws {
        let plan = try run("a.pcap", "--loop")
        #expect(plan.configuration.capture.loop)
        #expect(plan.configuration.capture.pace == .realtime)
        #expect(problems { _ = try run("-", "--loop") }.count == 1)
        #expect(problems { _ = try run("--interface", "lo", "--loop") }.count == 1)
        #expect(problems { _ = try run("a.pcap", "--loop", "--pace", "fast") }.count == 1)
        #expect(problems { _ = try run("a.pcap", "--loop", "--once") }.count == 1)
    }

    @Test(arguments: [
        (["rnu"], "there is no command 'rnu'; did you mean `wingmirror run`?"),
        (["routes", "xplain"], "there is no command 'xplain'; did you mean `wingmirror routes explain`?"),
        (["quite-another"], "there is no command 'quite-another'; there are run, read,"),
        (["version"], "there is no command 'version'; did you mean `wingmirror --version`?"),
    ])
    func `a command that there is not is told with the nearest`(arguments: [String], text: String) throws {
        let error = #expect(throws: (any Error).self) { _ = try Wingmirror.parseAsRoot(arguments) }
        #expect(Program.problem(of: try #require(error), in: arguments).hasPrefix(text))
    }

    @Test(arguments: [
        ([String](), ProgramStatus.done), (["--version"], .done), (["--help"], .done), (["read", "--help"], .done),
        (["bogus"], .usage),
        (["read"], .usage), (["read", "--bogus"], .usage), (["replay", "x"], .usage),
        (["check", "--config", "/nowhere"], .usage),
        (["check", "--routes", "/nowhere"], .usage),
        (["routes", "check"], .usage), (["routes", "list"], .usage), (["routes", "explain", "http://a/"], .usage),
        (["check", "--routes", "\(Repository.path)/samples/istio"], .done),
        (["check", "--routes", "\(Repository.path)/samples/istio/product-vs.yaml"], .failed),
    ])
    func `the exit status says what happened`(arguments: [String], status: ProgramStatus) async {
        #expect(await Program.run(arguments) == status)
    }

    @Test(arguments: [
        ["read", "a.pcap", "--output", "ndjson", "--gateway-port", "8080:80", "--jobs", "2"], ["read", "help"],
        ["read"],
        ["run", "a.pcap", "--records", "-"], ["routes", "explain", "GET a/", "--routes", "x"],
        ["routes", "check", "x"],
        ["check", "--config", "x"], ["mirror", "plan", "a.pcap"], ["top", "a.pcap"], ["doctor"],
    ])
    func `arguments that begin with a command are read by it as by the whole tree`(arguments: [String]) throws {
        let (read, whole) = (try Wingmirror.command(of: arguments), try Wingmirror.parseAsRoot(arguments))
        #expect(type(of: read) == type(of: whole))
        guard arguments.count > 1, let read = read as? ReadCommand, let whole = whole as? ReadCommand else { return }
        #expect(try ReadPlan(read) == ReadPlan(whole))
    }

    /// A command that has no other above it would answer for itself.
    @Test(arguments: [
        [], ["--version"], ["--help"], ["help", "read"], ["read", "--help"], ["read", "-h"], ["read", "--version"],
        ["read", "--bogus"],
        ["read", "--jobs", "x"], ["read", "--jobs"], ["routes"], ["routes", "help", "check"],
        ["routes", "check", "--help"],
        ["routes", "--help"], ["mirror"], ["bogus"], ["read", "--generate-completion-script", "bash"],
        ["--generate-completion-script", "bash"], ["check", "--generate-completion-script", "zsh"],
        ["--bogus", "read"], ["agents", "x"],
    ])
    func `help, versions, completions and errors are those of the whole tree`(arguments: [String]) {
        func answer(_ parse: ([String]) throws -> any ParsableCommand) -> String {
            do {
                var command = try parse(arguments)
                guard "\(type(of: command))" == "HelpCommand" else { return "\(type(of: command))" }
                try command.run()
                return ""
            } catch {
                return "\(Wingmirror.exitCode(for: error)) \(Wingmirror.fullMessage(for: error, columns: 80))"
            }
        }
        let expected = answer { try Wingmirror.parseAsRoot($0) }
        #expect(answer { try Wingmirror.command(of: $0) } == expected)
    }

    @Test func `a folder without objects fails a check, and rules without their Gateway do not`() async throws {
        let folder = try TemporaryFolder()
        #expect(await Program.run(["routes", "check", folder.path]) == .failed)
        #expect(await Program.run(["check", "--routes", folder.path]) == .failed)
        let rules = "\(Repository.path)/samples/istio/product-vs.yaml"
        #expect(await Program.run(["routes", "check", rules]) == .done)
    }

    @Test func `a file that is named and cannot be read is no answer`() async {
        // A file of the kernel that opens, and of which nothing can be read.
        let file = "/proc/self/mem"
        #expect(await Program.run(["routes", "list", file]) == .usage)
        #expect(await Program.run(["routes", "explain", "http://a/", "--routes", file]) == .usage)
    }

    @Test func `run refuses objects from a pipe, which it could not read again`() throws {
        let folder = try TemporaryFolder()
        let pipe = "\(folder.path)/objects"
        #expect(ExternalProgram("mkfifo").succeeds([pipe]))
        let sample = "\(Repository.path)/samples/captures/ingress.pcap"
        #expect(problems { _ = try run(sample, "--routes", pipe) }.first?.contains("can be read once only") == true)
        #expect(problems { _ = try run(sample, "--once", "--routes", pipe) } == [])
    }

    @Test func `examples in the help fit 80 columns, so that they can be copied`() {
        func commands(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
            [command] + command.configuration.subcommands.flatMap { commands($0) }
        }
        for command in commands(Wingmirror.self) {
            let lines = command.configuration.discussion.split(separator: "\n", omittingEmptySubsequences: false)
            let examples = lines.drop { !$0.hasPrefix("Example") }.dropFirst().prefix { $0.hasPrefix("  ") }
            #expect(examples.allSatisfy { $0.count < 80 }, "\(command): \(examples)")
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:9646/", "http://127.0.0.1:9646"), ("127.0.0.1:9646", "http://127.0.0.1:9646"),
        ("[::1]:9646", "http://[::1]:9646"), ("node-7:9646", "http://node-7:9646"), ("https://a", "https://a:443"),
        ("127.0.0.1", nil), ("node-7", nil), ("ftp://a:1", nil), ("a:0", nil),
    ])
    func `an agent is named by its URL, or by host and port`(text: String, url: String?) {
        var problems: [ConfigurationProblem] = []
        #expect(ServerURL.agent(text, &problems)?.description == url)
        #expect(problems.count == (url == nil ? 1 : 0))
    }

    @Test func `doctor looks at the interfaces that options name`() throws {
        func interfaces(_ arguments: String...) throws -> CaptureConfiguration.Interfaces {
            let command = try #require(try Wingmirror.parseAsRoot(["doctor"] + arguments) as? DoctorCommand)
            return try command.examinedConfiguration().capture.interfaces
        }
        #expect(try interfaces() == .named([]))
        #expect(try interfaces("-i", "eth0", "--interface", "lo") == .named(["eth0", "lo"]))
        #expect(try interfaces("-i", "auto") == .automatic)
    }

    @Test func `a savefile is not read from a keyboard`() throws {
        try CommandFailure.refuseTerminal(among: ["-"], isTerminal: false)
        try CommandFailure.refuseTerminal(among: ["a.pcap"], isTerminal: true)
        let failure = #expect(throws: CommandFailure.self) {
            try CommandFailure.refuseTerminal(among: ["a.pcap", "-"], isTerminal: true)
        }
        #expect(failure?.status == .usage)
    }

    @Test(arguments: [
        (["--bogus"], "Unknown option '--bogus'; see `wingmirror --help`"),
        (["read", "--quite-another"], "Unknown option '--quite-another'; see `wingmirror read --help`"),
        (
            ["routes", "explain", "--quite-another"],
            "Unknown option '--quite-another'; see `wingmirror routes explain --help`"
        ),
        (
            ["tap", "http://127.0.0.1:9646"],
            "Unexpected argument 'http://127.0.0.1:9646': an agent is named with --agent; see `wingmirror tap --help`"
        ),
        (["read", "--content", "-5"], "Missing value for '--content <bytes>'; see `wingmirror read --help`"),
    ])
    func `what is wrong with the arguments is said in one line`(arguments: [String], line: String) throws {
        let error = try #require(throws: (any Error).self) { try Wingmirror.parseAsRoot(arguments) }
        #expect(Program.problem(of: error, in: arguments) == line)
    }

    @Test(arguments: [
        ("eth0", "; it is an interface: `wingmirror top --interface eth0` and `run` capture on it"),
        ("http://127.0.0.1:9646", "; if it is a running agent, `wingmirror top --agent` shows it"),
        ("gateway-1:9646", "; if it is a running agent, `wingmirror top --agent` shows it"),
        ("eth0.pcap", ""), ("captures/eth0", ""), ("2026-11-30T10:00.pcap", ""), ("a:b", ""),
    ])
    func `a file that is not there may be an interface or an agent, and then the message says so`(
        name: String,
        hint: String
    ) {
        #expect(CommandFailure.mistaken("\(name): no such file or folder", among: ["eth0", "lo"]) == hint)
    }

    @Test(arguments: [
        ("GET http://shop.example.com/", "is no JSON (no value begins with this character); a line is such as {"),
        ("{\"url\": \"/a\"}", "is no request with a path; a line is such as {"),
        ("[]", "is no request with a path; a line"),
        ("{\"path\": \"/a\", \"scheme\": \"ftp\"}", "scheme must be http or https, not ftp"),
    ])
    func `a line of a file of requests that is none says what one looks like`(line: String, reason: String) throws {
        let error = try #require(throws: UnreadableLine.self) { try ExplainedRequests.request(Array(line.utf8)) }
        #expect(error.reason.hasPrefix(reason))
        // The example is one.
        guard error.reason.contains("such as "), let example = error.reason.split(separator: "such as ").last else {
            return
        }
        #expect(throws: Never.self) { try ExplainedRequests.request(Array(example.utf8)) }
    }
}
