namespace Distill.Student.Training;

/// <summary>
/// What each optimiser step trains on, as a pure function of the step's number: a resumed run sees the same data without
/// replaying anything. Called by the training thread only.
/// </summary>
public interface IExampleSource
{
    /// <summary>Optimiser steps in the whole training.</summary>
    int Steps { get; }

    /// <param name="step">0 to <see cref="Steps"/> − 1.</param>
    IReadOnlyList<TrainingSequence> At(int step);
}
