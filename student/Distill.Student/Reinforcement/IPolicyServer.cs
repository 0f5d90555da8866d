using Distill.Student.Model;

namespace Distill.Student.Reinforcement;

/// <summary>Makes the student's current weights available to the generation engine. One thread at a time. The creator disposes it, after what it served.</summary>
public interface IPolicyServer : IDisposable
{
    /// <summary>A model with these weights as they are now, whatever becomes of the parameters. The caller disposes it before asking for the next.</summary>
    Generation.ITokenModel Serve(FlatParameters parameters);
}
