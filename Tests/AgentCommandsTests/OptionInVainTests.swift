// Wingmirror · Apache-2.0

import ArgumentParser
import PacketCapture
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// Options that change nothing, or can never be met: each is refused by its name.
@Suite(.timeLimit(.minutes(20)))
struct OptionInVainTests {
    private static let routes = "\(Repository.path)/samples/istio"

    private func refused(_ arguments: [String]) async throws -> [ConfigurationProblem.Place] {
        do {
            switch try Wingmirror.parseAsRoot(arguments) {
            case let command as RoutesExplainCommand: _ = try ExplainPlan(command)
            case let command as RunCommand: _ = try RunPlan(command)
            case let command as TopCommand: _ = try TopPlan(command)
            case let command as TapCommand: _ = try TapPlan(command)
            case let command as MirrorReportCommand: _ = try MirrorReportPlan(command)
            case let command as DoctorCommand: _ = try command.examinedConfiguration()
            case var command as RoutesListCommand: try await command.run()
            case var command as RoutesCheckCommand: try await command.run()
            case let command: Issue.record("\(command)")
            }
            return []
        } catch let problems as ConfigurationProblems {
            return problems.problems.map(\.place)
        }
    }

    @Test(arguments: [
        (["run", "-i", "lo", "--pace", "fast"], "--pace"), (["top", "-i", "lo", "--pace", "fast"], "--pace"),
        (["doctor", "--routes", "nosuch"], "--routes"), (["doctor", "--namespace", "a"], "--namespace"),
        (["routes", "check", routes, "--filter", "tcp"], "--filter"),
        (["routes", "check", routes, "--key-log", "k"], "--key-log"),
        (["routes", "list", routes, "--log-level", "debug"], "--log-level"),
        (["routes", "explain", "http://a/", "--key-log", "k"], "--key-log"),
        (["routes", "explain", "http://a/", "--sni", "x"], "--sni"),
        (["routes", "explain", "http://a/", "--port", "99999"], "--port"),
        (["routes", "explain", "GET"], "REQUEST"),
        (["routes", "explain", "http://a/", "--method", "POST"], "--method"),
        (["tap", "--path", "products"], "--path"), (["tap", "--host", ""], "--host"),
        (["mirror", "report", "a.gor", "--agent", "http://h"], "--agent"),
        (["run", "a.pcap", "--gateway-selector", ""], "--gateway-selector"),
        (["run", "a.pcap", "--gateway-selector", "a=b,a=c"], "--gateway-selector"),
    ])
    func `an option without effect is refused`(arguments: [String], option: String) async throws {
        #expect(try await refused(arguments) == [.option(option)])
    }

    @Test(arguments: [
        ["run", "a.pcap", "--pace", "fast"], ["routes", "explain", "https://a/", "--sni", "x"],
        ["routes", "explain", "http://a/", "--port", "8080"], ["routes", "explain", "GET", "http://a/"],
        ["tap", "--path", "/products"], ["tap", "--path", "*"], ["run", "a.pcap", "--gateway-selector", "a=b,c=d"],
    ])
    func `the same option is taken where it has one`(arguments: [String]) async throws {
        #expect(try await refused(arguments).isEmpty)
    }

    @Test func `what is refused is not offered`() {
        let commands: [any ParsableCommand.Type] = [
            RoutesListCommand.self, RoutesCheckCommand.self, RoutesExplainCommand.self,
        ]
        for command in commands {
            let help = Wingmirror.helpMessage(for: command)
            #expect(help.contains("--gateway-selector"))
            for option in ["--filter", "--key-log", "--log-level", "--method"] { #expect(!help.contains(option)) }
        }
    }

    @Test(.enabled(if: Capabilities.current.mayCapture, "needs the right to capture"))
    func `an interface that is not there is a mistake for a person`() throws {
        var configuration = Configuration()
        configuration.capture.interfaces = .named(["nosuch0"])
        let failure = #expect(throws: CommandFailure.self) {
            try CaptureSources(configuration, refusesUnknown: true)
        }
        #expect(failure?.lines.first?.contains("there is no interface nosuch0") == true)
    }
}
