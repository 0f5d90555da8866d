using Distill.Student.Model;

namespace Distill.Student.Reinforcement;

/// <summary>Makes the student's current weights available to the generation engine.</summary>
public interface IPolicyServer
{
    /// <summary>A model with a copy of these weights. The caller disposes it; later changes of the parameters do not reach it.</summary>
    Generation.ITokenModel Serve(FlatParameters parameters);
}
