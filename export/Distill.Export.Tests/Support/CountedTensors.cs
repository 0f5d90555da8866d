namespace Distill.Export.Tests;

/// <summary>Tensors of the whole process are counted here, so that nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(CountedTensors), DisableParallelization = true)]
public sealed class CountedTensors;
