using System.CommandLine;
using Distill.Service.Hosting;
using Distill.Service.Running;

namespace Distill.Cli.Commands.Fleet;

/// <summary>What commands share that have to do with workers.</summary>
internal static class FleetArguments
{
    public static Option<bool> FleetOption() => new(DistillProgram.FleetOption)
    {
        Description = "Leave the work to 'distill worker's that see the same folder of runs, and watch. Nothing is lost when this command "
            + $"ends. {ServiceOptions.PostgresVariable} holds the connection string of the queue.",
    };

    /// <exception cref="UsageException">There is no connection string.</exception>
    public static string Postgres() =>
        Environment.GetEnvironmentVariable(ServiceOptions.PostgresVariable) is { Length: > 0 } postgres ? postgres
            : throw new UsageException($"The environment variable {ServiceOptions.PostgresVariable} is not set.",
                "Put the connection string of the queue's PostgreSQL into it: Host=…;Database=…;Username=…;Password=…");
}
