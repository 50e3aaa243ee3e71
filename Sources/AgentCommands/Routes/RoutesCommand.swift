// Wingmirror · Apache-2.0

import ArgumentParser

/// `routes`: looks at the compiled route table.
struct RoutesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "List the routes, check them, explain which one takes a request, or compare two sets.",
        discussion: """
            Example:
              wingmirror routes explain http://shop.example.com/products/1 \\
                  --routes samples/istio
            """,
        subcommands: [
            RoutesExplainCommand.self, RoutesListCommand.self, RoutesCheckCommand.self, RoutesDiffCommand.self,
        ]
    )
}
