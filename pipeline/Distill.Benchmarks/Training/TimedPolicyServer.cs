using Distill.Generation;
using Distill.Student.Model;
using Distill.Student.Reinforcement;

namespace Distill.Benchmarks.Training;

/// <summary>Notes how long handing over the weights took, each time. Disposes the server it wraps.</summary>
internal sealed class TimedPolicyServer(IPolicyServer server, TimeProvider clock) : IPolicyServer
{
    public List<double> Seconds { get; } = [];

    public ITokenModel Serve(FlatParameters parameters)
    {
        long began = clock.GetTimestamp();
        var model = server.Serve(parameters);
        Seconds.Add(clock.GetElapsedTime(began).TotalSeconds);
        return model;
    }

    public void Dispose() => server.Dispose();
}
