using System.Collections;
using System.Reflection;
using System.Text;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>
/// A section becomes the option records of the layers below in one place: whatever one changes in it changes what comes out there, or is
/// used by
/// somebody else who is named here.
/// </summary>
public sealed class SectionMappingTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void No_option_of_fine_tuning_is_forgotten() => Check(
        new TrainingSection(), section => section.ToOptions(null, null),
        nameof(TrainingSection.Enabled), // the list of stages
        nameof(TrainingSection.SequenceLength)); // the examples

    [Fact]
    public void No_option_of_held_out_looks_is_forgotten() => Check(
        new HeldOutSection(), section => (section.ToOptions(), section.LossShare),
        nameof(HeldOutSection.Problems), nameof(HeldOutSection.MaxTokens), nameof(HeldOutSection.Keep)); // the stage

    [Fact]
    public void No_option_of_adapters_is_forgotten() => Check(new LoraSection(), section => section.ToOptions());

    [Fact]
    public void No_option_of_soft_labels_is_forgotten() => Check(
        new SoftLabelSection { Divergence = DivergenceKind.SkewForward }, section => new TrainingSection().ToOptions(section, null));

    [Fact]
    public void No_option_of_preferences_is_forgotten() => Check(
        new PreferenceSection { Problems = 100 },
        section => (section.ToOptions(), section.ToCollectionOptions((ulong)section.Seed, "sft", "digest")),
        nameof(PreferenceSection.LabelSmoothing), nameof(PreferenceSection.Gamma), // of other losses than the default
        nameof(PreferenceSection.Problems), nameof(PreferenceSection.PairsPerProblem),
            nameof(PreferenceSection.ValidationProblems)); // the stages

    [Theory]
    [InlineData("cdpo", nameof(PreferenceSection.LabelSmoothing))]
    [InlineData("simpo", nameof(PreferenceSection.Gamma))]
    public void Constants_of_a_loss_arrive(string loss, string constant) => Change(
        new PreferenceSection { Loss = loss }, SectionDeclaration.Of(typeof(PreferenceSection))[constant],
        section => section.ToOptions()).ShouldBeTrue();

    [Fact]
    public void No_option_of_reinforcement_is_forgotten() => Check(
        new ReinforcementSection(), section => section.ToOptions(),
        // Of other surrogates, and of the stage, which knows the vocabulary.
        nameof(ReinforcementSection.WeightCap), nameof(ReinforcementSection.GatePositive), nameof(ReinforcementSection.GateNegative),
        nameof(ReinforcementSection.ValidationProblems), nameof(ReinforcementSection.TeacherTop), nameof(ReinforcementSection.Preflight),
        nameof(ReinforcementSection.PreflightProblems));

    [Theory]
    [InlineData(null, 4096, 4096), InlineData(null, 4097, 64), InlineData(100, 50_000, 100), InlineData(100, 70, 70)]
    public void The_teacher_tells_of_a_small_vocabulary_as_a_whole(int? given, int vocabulary, int expected) =>
        new ReinforcementSection { TeacherTop = given }.TeacherTopOf(vocabulary).ShouldBe(expected);

    [Theory]
    [InlineData(nameof(SurrogateKind.Capped), nameof(ReinforcementSection.WeightCap))]
    [InlineData(nameof(SurrogateKind.Sapo), nameof(ReinforcementSection.GatePositive))]
    [InlineData(nameof(SurrogateKind.Sapo), nameof(ReinforcementSection.GateNegative))]
    public void Numbers_of_a_surrogate_arrive(string surrogate, string number) => Change(
        new ReinforcementSection { Surrogate = Enum.Parse<SurrogateKind>(surrogate) },
            SectionDeclaration.Of(typeof(ReinforcementSection))[number],
        section => section.ToSurrogate()).ShouldBeTrue();

    [Fact]
    public void No_option_of_alarms_is_forgotten() => Check(new AlarmSection(), section => section.ToAlarms());

    [Fact]
    public void No_option_of_a_teacher_is_forgotten()
    {
        var teacher = SampleRecipe.Parse(folder).Teacher with { TopLogProbabilities = 4 };
        string[] remote = [.. SectionDeclaration.Of(typeof(TeacherSection)).Options.Select(option => option.PropertyName)
            .Where(name => typeof(RemoteTeacherSection).GetProperty(name) is not null)];
        Check(teacher, section => section.ToCollectionOptions("digest"),
            // What opens the model, which problems it is asked, cards.
            [.. remote, nameof(TeacherSection.Domains), nameof(TeacherSection.Engine), nameof(TeacherSection.Slots),
                nameof(TeacherSection.Device), nameof(TeacherSection.Licence)]);
        var endpoint = teacher with { Endpoint = "https://api.example.com/v1", Model = "m", TopLogProbabilities = null };
        Check(
            endpoint,
            section => (section.ToRemoteOptions(section), section.ToCalls(), section.ToOptions(section.Model), section.Prices,
                section.ToBatches(), section.Batch),
            nameof(TeacherSection.Engine), nameof(TeacherSection.Slots), nameof(TeacherSection.Device), // of model folders
            nameof(TeacherSection.Domains), // which problems it is asked
            nameof(TeacherSection.Licence), // cards
            nameof(TeacherSection.TopLogProbabilities), nameof(RemoteTeacherSection.Tokenizer), // with token ids
            nameof(EndpointSection.ApiKeyEnv)); // the client's key
    }

    [Fact]
    public void No_option_of_an_evaluation_is_forgotten() => Check(
        new EvaluationSection(), section => section.ToOptions(), nameof(EvaluationSection.Slots), // the engine
        nameof(EvaluationSection.Strategies)); // a stage of its own

    [Fact]
    public void No_option_of_curation_is_forgotten() => Check(
        new CurationSection(), section => section.ToOptions(), nameof(CurationSection.ContaminationWords)); // the stage

    [Fact]
    public void No_option_of_pretraining_is_forgotten()
    {
        var data = new PretrainDataSection { Families = [new FamilyShare { Name = "words" }] };
        Check(new PretrainTrainingSection(), section => section.ToOptions(1, data.ToMixture()));
        Check(data, section => section.ToMixture(), nameof(PretrainDataSection.Families));
    }

    [Fact]
    public void No_option_of_prompts_is_forgotten() => Check(
        new PromptSection(), section => (section.ToTeacherStyle(), section.ToStudentStyle()), nameof(PromptSection.TemplateOptions));

    private static void Check<T>(T section, Func<T, object?> map, params string[] elsewhere)
        where T : Section
    {
        foreach (var option in SectionDeclaration.Of(section).Options.Where(option =>
            option.Kind is not (OptionKind.Section or OptionKind.List)))
        {
            bool changes = !elsewhere.Contains(option.PropertyName) && Change(section, option, map);
            changes.ShouldBe(!elsewhere.Contains(option.PropertyName), $"{typeof(T).Name}.{option.PropertyName}");
        }
    }

    /// <summary>Whether another value of one option makes another mapped record.</summary>
    private static bool Change<T>(T section, OptionDeclaration option, Func<T, object?> map)
        where T : Section
    {
        var changed = section with { };
        option.Set(changed, Another(option, option.Get(section)));
        return Text(map(changed)) != Text(map(section));
    }

    private static object Another(OptionDeclaration option, object? value) => option.Kind switch
    {
        OptionKind.Integer when option.ValueType == typeof(long) => (long)(value ?? 0L) + 1,
        OptionKind.Integer => Equals(value, (int)option.Attribute.Maximum) ? (int)option.Attribute.Minimum : (int)(value ?? 1) + 1,
        OptionKind.Number => Equals(value, option.Attribute.Maximum) ? option.Attribute.Maximum / 2
            : ((double)(value ?? 0.0) + option.Attribute.Maximum) / 2,
        OptionKind.Flag => !(bool)value!,
        OptionKind.Word => option.Parse(option.Words.First(word => !Equals(option.Parse(word), value)))!,
        _ => value + "x",
    };

    /// <summary>Everything in an object, fields too: what maps to a class with no equality of its own counts as well.</summary>
    private static string Text(object? value, int depth = 0)
    {
        if (value is null || depth > 8) return "";
        var type = value.GetType();
        if (type.IsPrimitive || type.IsEnum || value is string or decimal or TimeSpan or Uri) return $"{value}";
        if (value is IEnumerable list) return "[" + string.Join(", ", list.Cast<object?>().Select(item => Text(item, depth + 1))) + "]";
        if (value is Delegate or Type) return type.Name;
        var text = new StringBuilder(type.Name).Append('(');
        for (var owner = type; owner is not null && owner != typeof(object); owner = owner.BaseType)
        {
            const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            foreach (var field in owner.GetFields(Own))
                text.Append(field.Name).Append('=').Append(Text(field.GetValue(value), depth + 1)).Append(';');
        }

        return text.Append(')').ToString();
    }
}
