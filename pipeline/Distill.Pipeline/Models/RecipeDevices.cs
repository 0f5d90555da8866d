using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Data.Teachers;
using TorchSharp;

namespace Distill.Pipeline.Models;

/// <summary>
/// Where each part of a recipe's work is done on a machine. A teacher or a training that was told to use a card uses it or the recipe is
/// refused; what the student's models run on follows their graphs, and is said where it is not the card. Immutable.
/// </summary>
/// <param name="machine">What the machine has; asked only where a recipe leaves a choice or names a card.</param>
internal sealed class RecipeDevices(Func<CudaFacts> machine)
{
    private const string Nowhere = "nowhere";

    public static RecipeDevices OfMachine { get; } = new(() => CudaProbe.Machine);

    /// <summary>Of the teacher's own folder.</summary>
    /// <exception cref="DeviceUnavailableException">A card was asked for and cannot be had.</exception>
    public DeviceChoice Teacher(DistillationRecipe recipe) => DeviceChoice.Of(
        recipe.Teacher.Device, DeviceUse.Running, machine, card => GraphFault.OnCard(card, recipe.Teacher.Model, recipe.Teacher.Engine));

    /// <summary>
    /// Of every training of a recipe. One that has the student complete problems meanwhile runs it where it is trained, so it needs what
    /// running needs; all trainings of a recipe are done in one place.
    /// </summary>
    /// <exception cref="DeviceUnavailableException">A card was asked for and cannot be had.</exception>
    public DeviceChoice Training(Recipe recipe)
    {
        var choice = DeviceChoice.Of(WordOf(recipe), DeviceUse.Training, machine);
        return choice.Device.IsCuda && recipe is DistillationRecipe distillation && StageGraph.ServesStudent(distillation)
            ? DeviceChoice.Of(
                WordOf(recipe), DeviceUse.Running, machine, because: "the student completes problems while it is trained, and ")
            : choice;
    }

    /// <summary>Of the student's checkpoints when they complete problems.</summary>
    public DeviceChoice Students(DistillationRecipe recipe) => Follow(recipe, graphFault: null);

    /// <summary>Of what is exported from them.</summary>
    public DeviceChoice Exported(DistillationRecipe recipe) =>
        Follow(recipe, card => GraphFault.OnCard(card, recipe.Export.Precision));

    /// <exception cref="DllNotFoundException">libtorch cannot be loaded.</exception>
    public torch.Device TrainingDevice(Recipe recipe) => Training(recipe).Device.ToTorch();

    /// <summary>
    /// What belongs to a training's key: trained on a card, a student differs by rounding. Asks the machine only where the recipe leaves
    /// the choice to it, so that a finished run can be looked at on any machine.
    /// </summary>
    public string? TrainingKey(Recipe recipe) => KeyOf(WordOf(recipe), () => Training(recipe));

    /// <inheritdoc cref="TrainingKey"/>
    public string? TeacherKey(DistillationRecipe recipe) =>
        recipe.Teacher.IsLocal ? KeyOf(recipe.Teacher.Device, () => Teacher(recipe)) : null;

    /// <inheritdoc cref="TrainingKey"/>
    public string? StudentsKey(DistillationRecipe recipe) => Students(recipe).Key;

    /// <inheritdoc cref="TrainingKey"/>
    public string? ExportedKey(DistillationRecipe recipe) => Exported(recipe).Key;

    /// <summary>Everything that is wrong with the devices that a recipe asks for.</summary>
    public IEnumerable<RecipeProblem> Problems(Recipe recipe, bool trains)
    {
        foreach (var role in TeachersThatRun(recipe, trains))
        {
            var fault = FaultOf(role.Place("teacher.device"), role.Teacher.Device, () => RunnableTeacher(role.Recipe));
            if (fault is not null) yield return fault;
        }

        string path = recipe is DistillationRecipe ? "student.device" : "device";
        if (trains && FaultOf(path, WordOf(recipe), () => Training(recipe)) is { } unfit) yield return unfit;
    }

    /// <summary>
    /// What a recipe does where, in words that say the same of two machines when they make the same of it; those without a card name none.
    /// </summary>
    /// <exception cref="DeviceUnavailableException">A card was asked for and cannot be had.</exception>
    public string Signature(Recipe recipe, bool trains)
    {
        string[] teachers = [.. TeachersThatRun(recipe, trains).Select(role => WordFor(Teacher(role.Recipe)))];
        string teacher = teachers.Distinct().Count() > 1 ? string.Join(", ", teachers) : teachers.FirstOrDefault(Nowhere);
        return $"teacher {teacher}, student {(trains ? WordFor(Training(recipe)) : Nowhere)}";
    }

    /// <summary>Whether a <see cref="Signature"/> names one.</summary>
    public static bool HasCard(string signature) => signature.Contains(DeviceChoice.CudaKey, StringComparison.Ordinal);

    /// <summary>A machine that makes of a recipe what one did whose <see cref="Signature"/> this is.</summary>
    public static RecipeDevices Like(string signature) => HasCard(signature) ? OfMachine
        : new(() => CudaProbe.Machine with { Driver = CudaDriverFacts.None("the run was begun without a card", isInstalled: false) });

    /// <summary>What is done where, and why: <c>training: cpu (libcuda.so.1 was not found)</c>. Of a recipe without problems.</summary>
    public IReadOnlyDictionary<string, string> Describe(Recipe recipe, bool trains)
    {
        var described = new Dictionary<string, string>();
        foreach (var role in TeachersThatRun(recipe, trains)) described[role.Path] = Text(Teacher(role.Recipe));
        if (trains) described["training"] = Text(Training(recipe));
        if (trains && recipe is DistillationRecipe distillation)
        {
            described["students"] = Text(Students(distillation));
            described["export"] = Text(Exported(distillation));
        }

        return described;
    }

    /// <summary>The same in one sentence, where a recipe or a machine has to do with cards at all; else null.</summary>
    public string? Worth(Recipe recipe, bool trains)
    {
        bool isNamed = recipe is DistillationRecipe { TraceWriters: var teachers, Student: var student }
            ? teachers.Select(teacher => teacher.Device).Append(student.Device).Any(device => device != DeviceChoice.Auto)
            : recipe.Device != DeviceChoice.Auto;
        if (!isNamed && !machine().Driver.IsInstalled) return null;
        return $"Devices: {string.Join(", ", Describe(recipe, trains).Select(part => $"{part.Key} {part.Value}"))}.";
    }

    // Beside existing traces a teacher is run only where there are students that it is compared with or has an opinion of.
    private static IEnumerable<TeacherRole> TeachersThatRun(Recipe recipe, bool trains) =>
        recipe is DistillationRecipe distillation && (trains || distillation.Traces.From is null)
            ? TeacherRole.Of(distillation).Where(role => role.Teacher.IsLocal) : [];

    private DeviceChoice RunnableTeacher(DistillationRecipe recipe)
    {
        var choice = Teacher(recipe);
        return !choice.Device.IsCuda && GraphFault.OnProcessor(recipe.Teacher.Model) is { } unfit
            ? throw new DeviceUnavailableException($"{choice.Device} ({choice.Reason}): {unfit.Text}.", unfit.Remedy) : choice;
    }

    // Where the student is trained, as far as its models can be run there.
    private DeviceChoice Follow(DistillationRecipe recipe, Func<CudaCard, GraphFault?>? graphFault)
    {
        var device = recipe.Student.Device == DeviceChoice.Auto ? ComputeDevice.Cuda() : ComputeDevice.Parse(recipe.Student.Device)!.Value;
        return device.IsCuda ? DeviceChoice.Best(device, DeviceUse.Running, machine, graphFault) : new(device, "asked for");
    }

    private static string WordFor(DeviceChoice choice) => choice.Device.IsCuda ? DeviceChoice.CudaKey : "cpu";

    private static string Text(DeviceChoice choice) => $"{choice.Device} ({choice.Reason})";

    private static string WordOf(Recipe recipe) => recipe is DistillationRecipe distillation ? distillation.Student.Device : recipe.Device;

    private static string? KeyOf(string word, Func<DeviceChoice> choose) =>
        word == DeviceChoice.Auto ? choose().Key : ComputeDevice.Parse(word)!.Value.IsCuda ? DeviceChoice.CudaKey : null;

    private static RecipeProblem? FaultOf(string path, string word, Func<DeviceChoice> choose)
    {
        try
        {
            choose();
            return null;
        }
        catch (DeviceUnavailableException fault)
        {
            return new(path, "", word, fault.Message.TrimEnd('.'), fault.Remedy);
        }
        catch (InvalidDataException)
        {
            return null; // the folder itself is at fault, which is said of it elsewhere
        }
    }
}
