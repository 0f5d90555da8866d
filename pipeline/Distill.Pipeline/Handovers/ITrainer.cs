using System.Reflection;

namespace Distill.Pipeline.Handovers;

/// <summary>A trainer beyond this program: what it takes of a training, and the files that start it. Stateless.</summary>
internal interface ITrainer
{
    /// <summary>As the command line calls it.</summary>
    string Name { get; }

    /// <summary>What was read of it to translate options, e.g. a version and a commit.</summary>
    string Read { get; }

    /// <summary>The trainings that it takes.</summary>
    IReadOnlyList<string> Stages { get; }

    /// <param name="training">Of one of <see cref="Stages"/>.</param>
    OptionMap Translate(HandedTraining training);

    /// <summary>Writes data, configuration and scripts beside a checkpoint that lies there already.</summary>
    /// <returns>How it is started, as lines for a shell in the folder.</returns>
    IReadOnlyList<string> Write(string folder, HandedTraining training, OptionMap options);
}

/// <summary>Every trainer by name. A new one is a class and a line here.</summary>
internal static class Trainers
{
    public static IReadOnlyList<ITrainer> All { get; } = [new TrlTrainer(), new PrimeTrainer()];

    /// <summary>Writes scripts that lie in this assembly into a folder.</summary>
    public static void WriteScripts(string folder, params ReadOnlySpan<string> names)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in names)
        {
            using var script = Assembly.GetExecutingAssembly().GetManifestResourceStream($"handover/{name}")
                ?? throw new InvalidOperationException($"The script '{name}' is not in this program.");
            using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew);
            script.CopyTo(file);
        }
    }
}
