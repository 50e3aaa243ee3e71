// Wingmirror · Apache-2.0

import Agent
import ArgumentParser

/// The root command, which only leads to the others.
struct Wingmirror: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wingmirror",
        abstract: "Watches the traffic at an Istio ingress gateway without being in its path.",
        discussion: """
            Rebuilds HTTP requests and responses from packets, works out which VirtualService rule the gateway chose for \
            each, and exports the result as Prometheus metrics.

            Examples:
              wingmirror read capture.pcap --routes routes.yaml
              wingmirror routes explain shop.example.com/product/7 --routes routes.yaml
              sudo wingmirror run --interface eth0 --routes routes.yaml

            Exit status: 0 done; 1 the work failed; 2 bad usage or configuration; 3 missing permission.
            """,
        version: BuildInformation.summary,
        subcommands: [
            RunCommand.self, ReadCommand.self, ReplayCommand.self, MirrorCommand.self, RoutesCommand.self,
            TopCommand.self, TapCommand.self, PacketsCommand.self, AgentsCommand.self,
            CheckCommand.self, DoctorCommand.self,
        ]
    )
}

extension Wingmirror {
    /// Reads the arguments.
    ///
    /// Where they begin with the names of a command, only that one reads the others, which takes the parser less time than the
    /// whole tree. Where the command finds something amiss, or is asked for help, the whole tree reads them once more, so that
    /// it is the one who answers.
    static func command(of arguments: [String]) throws -> any ParsableCommand {
        var command: any ParsableCommand.Type = Wingmirror.self
        var others = arguments[...]
        while let name = others.first,
            let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == name })
        {
            command = next
            others.removeFirst()
        }
        if command.configuration.subcommands.isEmpty, let read = try? command.parseAsRoot(Array(others)),
            type(of: read) == command
        {
            return read
        }
        return try parseAsRoot(arguments)
    }
}
